import { readFileSync } from "node:fs";
import path from "node:path";
import { cached, hashOf } from "../cache.ts";
import { debianTree } from "../debian.ts";
import { type Hardware, Qemu } from "../qemu.ts";
import { copyModules, diskModules, kernelForGuests } from "../kernel.ts";
import { shell } from "../shell.ts";

const here = import.meta.dirname;
const init = path.join(here, "../systemd/init.sh");

const packages = [
  ...["openrc", "initscripts", "sysvinit-utils", "udev", "kmod"],
  ...["procps", "util-linux", "login", "passwd", "libstdc++6"],
];

/** Until all services have started, or the guest is off: on a busy machine. */
const transitionMs = 180_000;

/** A guest of Debian's packages whose init is OpenRC's, with the agent in it as an archive's install.sh has put it there. */
export class OpenRcMachine extends Qemu {
  /** `archive` is the folder that was unpacked; the guest has it as /archive, too. */
  static async boot(archive: string): Promise<OpenRcMachine> {
    return new OpenRcMachine(await hardware(archive), []).boot();
  }

  /** The process id of the service's agent; 0 when there is none. */
  async agentPid(): Promise<number> {
    return Number((await this.run("pidof -s limiquantix-agent")).stdout);
  }

  /** Waits until the guest has switched itself off. */
  async poweredOff(): Promise<void> {
    await this.qmp.event("SHUTDOWN", ({ reason }) => reason === "guest-shutdown", transitionMs);
  }

  /** Waits until the guest has restarted itself, and its shell is there again. */
  async rebooted(): Promise<void> {
    await this.qmp.event("RESET", ({ reason }) => reason === "guest-reset", transitionMs);
    await this.ready();
  }
}

async function hardware(archive: string): Promise<Hardware> {
  const kernel = await kernelForGuests();
  const release = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  const environment = { HERE: here };
  const script = path.join(here, "customize.sh");
  const tree = await debianTree("openrc-tree", {
    ...{ release, architecture: "amd64", packages, configured: true },
    customize: { script, environment, inputs: [here, path.join(here, "../console.sh")] },
  });
  const modules = [...diskModules, "virtio_console"];
  const recipe = [{ file: import.meta.filename }, { file: init }, kernel.folder, ...modules, copyModules];
  const initramfs = await cached("openrc-initramfs", hashOf(...recipe), async (output) => {
    await shell(
      `
      tree=$(mktemp -d); trap 'rm -rf "$tree"' EXIT
      cd "$tree" && mkdir bin proc sys dev system
      cp "$(command -v busybox)" bin/busybox
      cp "$INIT" init; chmod 755 init
      ${copyModules}
      find . | cpio -o -H newc --quiet >"$OUT"`,
      { INIT: init, KERNEL: kernel.folder, MODULES: modules.join(" "), OUT: output },
    );
  });
  const disk = await cached("openrc-disk", hashOf(...recipe, tree, { file: archive }), async (output) => {
    const make = `
      tar -x --numeric-owner --exclude="./dev/*" -f "$1" -C "$2"
      cp -a "$3/." "$2/archive"
      sh "$3/install.sh" --root "$2" >&2
      mke2fs -q -t ext4 -d "$2" "$4" 1G`;
    await shell(
      `
      work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
      chmod 755 "$work"
      if [ "$(id -u)" = 0 ]; then as_root=; else as_root=fakeroot; fi
      $as_root sh -euc "$MAKE" sh "$TREE" "$work" "$ARCHIVE" "$OUT"`,
      { MAKE: make, TREE: tree, ARCHIVE: archive, OUT: output },
    );
  });
  return {
    kernel: kernel.file,
    initramfs,
    memoryMiB: 384,
    disks: [{ file: disk, name: "root", writes: "dropped" }],
    networkCards: 0,
    bootDeadlineMs: transitionMs,
  };
}
