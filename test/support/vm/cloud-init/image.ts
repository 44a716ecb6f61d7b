import path from "node:path";
import { cached, hashOf } from "../cache.ts";
import { debianTree } from "../debian.ts";
import { type Kernel, copyModules, diskModules, kernelForGuests } from "../kernel.ts";
import { shell } from "../shell.ts";

const here = import.meta.dirname;
const script = path.join(here, "customize.sh");
const others = ["../console.sh", "../systemd/test-console.service"].map((name) => path.join(here, name));
const initScript = path.join(here, "../systemd/init.sh");

const packages = [
  "systemd",
  "systemd-sysv",
  "udev",
  "dbus",
  "kmod",
  "cloud-init",
  "e2fsprogs",
  "libstdc++6",
  "busybox",
];

/** What the kernel needs for a seed disk and the agent's port, in the folders of its modules. */
const moduleFolders = [
  "fs/isofs",
  "fs/nls",
  "fs/fat",
  "drivers/cdrom",
  "drivers/char",
  "drivers/virtio",
  "drivers/block",
];

export interface CloudImage {
  kernel: string;
  initramfs: string;
  /** Debian with cloud-init, without the agent, and without a machine-id. */
  rootDisk: string;
}

/** Builds what is not cached. */
export async function cloudImage(): Promise<CloudImage> {
  const kernel = await kernelForGuests();
  const [initramfs, rootDisk] = await Promise.all([initramfsOf(kernel), diskOfTree()]);
  return { kernel: kernel.file, initramfs, rootDisk };
}

function initramfsOf(kernel: Kernel): Promise<string> {
  const hash = hashOf(kernel.folder, copyModules, { file: initScript });
  return cached("cloud-initramfs", hash, async (output) => {
    await shell(
      `
      tree=$(mktemp -d); trap 'rm -rf "$tree"' EXIT
      cd "$tree" && mkdir bin proc sys dev system
      cp "$(command -v busybox)" bin/busybox
      cp "$INIT" init; chmod 755 init
      ${copyModules}
      find . | cpio -o -H newc --quiet >"$OUT"`,
      { INIT: initScript, KERNEL: kernel.folder, MODULES: diskModules.join(" "), OUT: output },
    );
  });
}

/** Debian with cloud-init, before its first boot: a tar archive. */
export async function cloudTree(): Promise<string> {
  const kernel = await kernelForGuests();
  const modules = await modulesOf(kernel);
  return debianTree("cloud-tree", {
    release: "bookworm",
    architecture: "amd64",
    packages,
    configured: true,
    customize: {
      script,
      environment: { HERE: here, KERNEL_MODULES: path.join(modules, kernel.version) },
      inputs: [script, ...others, modules],
    },
  });
}

async function diskOfTree(): Promise<string> {
  const tree = await cloudTree();
  return cached("cloud-root", hashOf(path.basename(tree), "1G"), async (output) => {
    await shell(
      `
      work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
      unpack='tar -x --numeric-owner --exclude="./dev/*" -f "$2" -C "$1" && mke2fs -q -t ext4 -d "$1" "$OUT" 1G'
      if [ "$(id -u)" = 0 ]; then sh -euc "$unpack" sh "$work" "$TREE"; else fakeroot sh -euc "$unpack" sh "$work" "$TREE"; fi`,
      { TREE: tree, OUT: output },
    );
  });
}

/** A folder with a folder named after the kernel's version. */
function modulesOf(kernel: Kernel): Promise<string> {
  return cached("cloud-modules", hashOf(kernel.folder, ...moduleFolders), async (output) => {
    await shell(
      `
      found=$(find "$KERNEL/lib/modules" "$KERNEL/usr/lib/modules" -maxdepth 1 -name "$VERSION" 2>/dev/null | head -n 1)
      modules="$OUT/$VERSION"
      mkdir -p "$modules" && cp "$found"/modules.builtin* "$found"/modules.order "$modules/"
      for folder in $FOLDERS; do
        [ -d "$found/kernel/$folder" ] || continue
        mkdir -p "$modules/kernel/\${folder%/*}" && cp -r "$found/kernel/$folder" "$modules/kernel/$folder"
      done`,
      {
        KERNEL: kernel.folder,
        VERSION: kernel.version,
        FOLDERS: moduleFolders.join(" "),
        OUT: output,
      },
    );
  });
}
