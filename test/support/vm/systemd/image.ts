import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { cached, hashOf } from "../cache.ts";
import { nodeImage, scratchImage } from "../image.ts";
import { type Kernel, copyModules, diskModules, kernelForGuests } from "../kernel.ts";
import { shell } from "../shell.ts";

/** What a guest is booted from. */
export interface SystemdImages {
  kernel: string;
  initramfs: string;
  /** Debian's or Ubuntu's root file system. */
  rootDisk: string;
  /** Node.js. */
  nodeDisk: string;
  /** The agent's files. */
  agentDisk: string;
  /** In its place when the guest is booted for all builds of the agent. */
  noAgentDisk: string;
  scratchDisk: string;
  /** Zeros. */
  emptyDisk: string;
}

const here = import.meta.dirname;
const unit = "packaging/systemd/limiquantix-agent.service";
const rules = "packaging/udev/60-limiquantix-agent.rules";
const recipe = hashOf({ file: here }, { file: unit }, { file: rules }, { file: path.join(here, "../console.sh") });

const packages = [
  ...["systemd", "systemd-sysv", "udev", "dbus", "kmod", "libstdc++6", "busybox"],
  ...["passwd", "login", "openssh-client", "openssh-server"],
  ...["netplan.io", "iproute2", "chrony"],
  ...["util-linux", "procps", "e2fsprogs", "btrfs-progs", "xfsprogs", "dosfstools"],
];

/** Packages only where there are any such: the older releases have them in others. */
const optionalPackages = ["systemd-resolved", "util-linux-extra"];

/** Of the kernel's modules, what is of use in a guest. */
const moduleFolders = ["arch", "block", "crypto", "fs", "lib", "mm", "net"]
  .map((name) => `kernel/${name}`)
  .concat(
    ["block", "char", "md", "net", "ptp", "rtc", "scsi", "virtio"].map((name) => `kernel/drivers/${name}`),
  );

/** Builds what is not cached. `files` go to the agent's disk: guest path below /agent → file or folder here. */
export async function buildSystemdImages(files: Record<string, string>): Promise<SystemdImages> {
  const kernel = await kernelForGuests();
  const [initramfs, rootDisk, nodeDisk, agentDisk, noAgentDisk, scratchDisk, emptyDisk] = await Promise.all([
    initramfsFor(kernel),
    root(kernel),
    nodeImage(),
    agent(files),
    agent({}),
    scratchImage(),
    empty(),
  ]);
  return {
    kernel: kernel.file,
    initramfs,
    rootDisk,
    nodeDisk,
    agentDisk,
    noAgentDisk,
    scratchDisk,
    emptyDisk,
  };
}

function initramfsFor(kernel: Kernel): Promise<string> {
  return cached("systemd-initramfs", hashOf(recipe, kernel.folder, copyModules), async (output) => {
    await shell(
      `
      tree=$(mktemp -d); trap 'rm -rf "$tree"' EXIT
      cd "$tree" && mkdir bin proc sys dev system
      cp "$(command -v busybox)" bin/busybox
      cp "$HERE/init.sh" init; chmod 755 init
      ${copyModules}
      find . | cpio -o -H newc --quiet >"$OUT"`,
      { HERE: here, KERNEL: kernel.folder, MODULES: diskModules.join(" "), OUT: output },
    );
  });
}

/** This machine's own release, from where its apt has it. As root, or as mmdebstrap and fakeroot do without. */
function root(kernel: Kernel): Promise<string> {
  const release = readFileSync("/etc/os-release", "utf8");
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(release)?.[1] ?? "";
  return cached("systemd-root", hashOf(recipe, kernel.folder, release), async (output) => {
    await shell(
      `
      work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
      chmod 755 "$work" # mmdebstrap is another user without root
      modules="$work/$VERSION"
      found=$(find "$KERNEL/lib/modules" "$KERNEL/usr/lib/modules" -maxdepth 1 -name "$VERSION" 2>/dev/null | head -n 1)
      mkdir "$modules" && cp "$found"/modules.builtin* "$found"/modules.order "$modules/"
      for folder in $FOLDERS; do
        [ -d "$found/$folder" ] || continue
        mkdir -p "$modules/\${folder%/*}" && cp -r "$found/$folder" "$modules/$folder"
      done
      export KERNEL_MODULES="$modules"
      included=$PACKAGES
      for name in $OPTIONAL; do
        [ -z "$(apt-cache show --no-all-versions "$name" 2>/dev/null)" ] || included="$included $name"
      done
      for origin in Debian Ubuntu; do
        apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \\
          'Created-By: Packages' "Origin: $origin"
      done | grep -E " $CODENAME(-updates|-security)? " >"$work/sources"
      mkdir "$work/keys"
      for file in /etc/apt/trusted.gpg.d/* /usr/share/keyrings/debian-archive-keyring.* /usr/share/keyrings/ubuntu-archive-keyring.*; do
        [ ! -f "$file" ] || install -m 644 "$file" "$work/keys/"
      done
      mmdebstrap --quiet --keyring="$work/keys" --variant=essential --include="$included" \\
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \\
        --dpkgopt='path-exclude=/usr/share/doc/*' --aptopt='Acquire::Languages "none"' \\
        --customize-hook='sh "$HERE/customize.sh" "$1"' "$CODENAME" "$work/root.tar" - <"$work/sources" 2>&1
      mkdir "$work/root"
      unpack='tar -x --numeric-owner --exclude="./dev/*" -f "$1/root.tar" -C "$1/root" && rm "$1/root.tar" && mke2fs -q -t ext4 -d "$1/root" "$OUT" 1G'
      if [ "$(id -u)" = 0 ]; then sh -euc "$unpack" sh "$work"; else fakeroot sh -euc "$unpack" sh "$work"; fi`,
      {
        HERE: here,
        UNIT: path.resolve(unit),
        RULES: path.resolve(rules),
        KERNEL: kernel.folder,
        VERSION: kernel.version,
        FOLDERS: moduleFolders.join(" "),
        PACKAGES: packages.join(" "),
        OPTIONAL: optionalPackages.join(" "),
        CODENAME: codename,
        OUT: output,
      },
    );
  });
}

/** Of a fixed size: it is exchanged in a guest that runs. */
function agent(files: Record<string, string>): Promise<string> {
  const contents = Object.entries(files).flatMap(([guest, file]) => [guest, { file }]);
  return cached("systemd-agent", hashOf(recipe, ...contents), async (output) => {
    const copies = Object.entries(files).map(
      ([guest, file]) =>
        `mkdir -p "$tree${path.dirname(guest)}"; cp -rL "${path.resolve(file)}" "$tree${guest}"`,
    );
    await shell(
      `
      tree=$(mktemp -d); trap 'rm -rf "$tree"' EXIT
      mkdir "$tree/agent"
      ${copies.join("\n")}
      mke2fs -q -t ext4 -O ^has_journal -E root_owner=0:0 -d "$tree/agent" "$OUT" 64M`,
      { OUT: output },
    );
  });
}

function empty(): Promise<string> {
  return cached("systemd-empty", hashOf("256M"), async (output) => {
    await shell(`truncate -s 256M "$OUT"`, { OUT: output });
  });
}

/** A writable copy of a disk. */
export async function copyDisk(from: string, to: string): Promise<void> {
  mkdirSync(path.dirname(to), { recursive: true });
  await shell(`cp --sparse=always --reflink=auto "$FROM" "$TO"`, { FROM: from, TO: to });
}

/** What decides how a guest behaves when it has booted, without an agent; for the name of its saved state. */
export function identityOf(images: SystemdImages): string {
  return hashOf(
    ...[images.kernel, images.initramfs, images.rootDisk, images.nodeDisk, images.noAgentDisk],
    ...[path.join(here, "../qemu.ts")].map((file) => ({ file })),
    { file: here },
  );
}
