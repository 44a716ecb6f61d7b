import { readdirSync } from "node:fs";
import path from "node:path";
import { cached, hashOf } from "./cache.ts";
import { shell } from "./shell.ts";

/** Debian's or Ubuntu's kernel for virtual machines, unpacked; nothing is installed. */
export interface Kernel {
  /** What its packages have in them. */
  folder: string;
  /** What is booted. */
  file: string;
  /** As `uname -r` has it. */
  version: string;
}

/** For disks, in the order they need each other; those that a kernel has built in are passed over. */
export const diskModules = [
  "virtio_ring",
  "virtio",
  "virtio_pci_legacy_dev",
  "virtio_pci_modern_dev",
  "virtio_pci",
  "virtio_blk",
];

/** A part of a shell script: puts $MODULES of $KERNEL into $tree/modules, and their names in order into its list. */
export const copyModules = `
      mkdir -p "$tree/modules"
      for name in $MODULES; do
        file=$(find "$KERNEL/lib/modules" "$KERNEL/usr/lib/modules" -name "$name.ko*" 2>/dev/null | head -n 1)
        case "$file" in
          "") continue;;
          *.xz) xz -dc "$file" >"$tree/modules/$name.ko";;
          *.zst) zstd -qdc "$file" >"$tree/modules/$name.ko";;
          *) cp "$file" "$tree/modules/$name.ko";;
        esac
        echo "$name.ko" >>"$tree/modules/list"
      done`;

/** Downloaded with apt-get when it is not cached. */
export async function kernelForGuests(): Promise<Kernel> {
  const packages = (
    await shell(`
    for meta in linux-image-cloud-amd64 linux-image-virtual; do
      depends=$(apt-cache depends --important "$meta" 2>/dev/null | sed -n 's/.*Depends: \\(linux-\\(image\\|modules\\)-[0-9].*\\)/\\1/p')
      [ -n "$depends" ] && break
    done
    [ -n "$depends" ] || { echo "no kernel for virtual machines is known here; run: sudo apt-get update"; exit 1; }
    for name in $depends; do
      echo "$name"
      apt-cache depends --important "$name" | sed -n 's/.*Depends: \\(linux-modules-[0-9].*\\)/\\1/p'
    done`)
  )
    .trim()
    .split(/\s+/);
  const folder = await cached("kernel", hashOf(...packages), async (output) => {
    await shell(
      `mkdir "$OUT" && cd "$OUT" && apt-get download $PACKAGES 2>&1 && for deb in *.deb; do dpkg-deb -x "$deb" .; rm "$deb"; done`,
      {
        OUT: output,
        PACKAGES: packages.join(" "),
      },
    );
  });
  const name = readdirSync(path.join(folder, "boot")).find((file) => file.startsWith("vmlinuz-"));
  if (name === undefined) throw new Error(`the packages ${packages.join(", ")} have no kernel in them`);
  return { folder, file: path.join(folder, "boot", name), version: name.slice("vmlinuz-".length) };
}
