import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { cached, hashOf } from "../cache.ts";
import { debianTree } from "../debian.ts";
import { copyModules, diskModules } from "../kernel.ts";
import { Qemu } from "../qemu.ts";
import { shell } from "../shell.ts";

const here = import.meta.dirname;

/** What Node.js is linked with, the guest's user space, and a kernel for virtual machines. */
const packages = ["busybox-static", "libc6", "libstdc++6", "libgcc-s1", "linux-image-cloud-arm64"];

const modules = [...diskModules, "virtio_mmio", "virtio_console"];

/** A guest for ARM: busybox and the agent, as an archive's install.sh has put it there, all of it in memory. */
export class ArmMachine extends Qemu {
  /** `archive` is the folder that was unpacked, beside the archive. */
  static async boot(archive: string): Promise<ArmMachine> {
    const { kernel, initramfs } = await images(archive);
    const hardware = { processor: "arm64", kernel, initramfs, memoryMiB: 1024, disks: [] } as const;
    return new ArmMachine({ ...hardware, networkCards: 0, bootDeadlineMs: 300_000 }, []).boot();
  }
}

async function images(archive: string): Promise<{ kernel: string; initramfs: string }> {
  const tree = await debianTree("arm64-tree", {
    ...{ release: "bookworm", architecture: "arm64", packages, configured: false },
  });
  const files = [here, path.join(here, "../console.sh")].map((file) => ({ file }));
  const packed = readFileSync(`${archive}.tar.xz`, "latin1");
  const made = await cached(
    "arm64-guest",
    hashOf(tree, copyModules, ...modules, packed, ...files),
    async (output) => {
      await shell(
        `
      work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
      mkdir "$work/debian" "$OUT"
      tar -x --no-same-owner --exclude="./dev/*" -f "$DEBIAN" -C "$work/debian"
      KERNEL="$work/debian"; tree="$work/tree"
      for folder in bin dev etc lib proc run sbin sys tmp usr/lib; do mkdir -p "$tree/$folder"; done
      cp "$KERNEL/bin/busybox" "$tree/bin/"
      for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"; done
      ln -s ../bin/busybox "$tree/sbin/init"
      cp -a "$KERNEL/lib/aarch64-linux-gnu" "$KERNEL"/lib/ld-linux-aarch64.so.1 "$tree/lib/"
      cp -a "$KERNEL/usr/lib/aarch64-linux-gnu" "$tree/usr/lib/"
      rm -rf "$tree/usr/lib/aarch64-linux-gnu/gconv"
      cp "$HERE/init.sh" "$tree/init"; cp "$HERE/inittab" "$tree/etc/"; cp "$HERE/../console.sh" "$tree/bin/console"
      chmod 755 "$tree/init"
      echo root:x:0:0:root:/:/bin/sh >"$tree/etc/passwd"; echo root:x:0: >"$tree/etc/group"
      ${copyModules}
      cp "$KERNEL"/boot/vmlinuz-* "$OUT/"
      if [ "$(id -u)" = 0 ]; then as_root=; else as_root=fakeroot; fi
      $as_root sh "$ARCHIVE/install.sh" --root "$tree"
      cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet >"$OUT/initramfs"`,
        { HERE: here, DEBIAN: tree, MODULES: modules.join(" "), ARCHIVE: archive, OUT: output },
      );
    },
  );
  const kernel = readdirSync(made).find((name) => name.startsWith("vmlinuz-"));
  if (kernel === undefined) throw new Error("linux-image-cloud-arm64 has no kernel in it");
  return { kernel: path.join(made, kernel), initramfs: path.join(made, "initramfs") };
}
