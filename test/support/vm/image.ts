import { existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { cached, hashOf } from "./cache.ts";
import { type Kernel, copyModules, diskModules, kernelForGuests } from "./kernel.ts";
import { shell } from "./shell.ts";

/** What a guest is booted from. */
export interface Images {
  kernel: string;
  initramfs: string;
  /** Node.js, other programs and their libraries, read-only, as /dev/vda. */
  nodeDisk: string;
  /** An empty ext4 file system, as /dev/vdb. */
  scratchDisk: string;
}

const modules = [...diskModules, "virtio_console", "failover", "net_failover", "virtio_net"];

const here = import.meta.dirname;

/** How the images are made is a part of what they are. */
const recipe = hashOf(...["image.ts", "kernel.ts"].map((name) => ({ file: path.join(here, name) })));

/** The agent's files, as `npm run build` leaves them: guest path → file or folder here. */
export const agentFiles: Record<string, string> = {
  "/agent/dist/bin": "dist/bin",
  "/agent/package.json": "package.json",
  "/agent/build/Release/limiquantix.node": "build/Release/limiquantix.node",
  "/agent/node_modules/systeminformation": "node_modules/systeminformation",
};

/** Builds what is not cached. `files` are put into the guest's file system. */
export async function buildImages(files: Record<string, string> = agentFiles): Promise<Images> {
  const kernel = await kernelForGuests();
  const [nodeDisk, scratchDisk, initramfs] = await Promise.all([
    nodeImage(),
    scratchImage(),
    initramfsWith(kernel, files),
  ]);
  return { kernel: kernel.file, initramfs, nodeDisk, scratchDisk };
}

/** Programs of this machine that are not busybox's; those that are not here are not there. */
const programs = ["vim.tiny", "qemu-ga"];

/** What a terminal's programs look up, in ncurses' own folder on Debian. */
const terminals = ["/usr/share/terminfo/s/screen", "/lib/terminfo/s/screen"];

/** Node.js with its libraries, read-only ext4. */
export async function nodeImage(): Promise<string> {
  const program = realpathSync(process.execPath);
  const found = (
    await shell(`for name in $NAMES; do command -v "$name" || true; done`, { NAMES: programs.join(" ") })
  )
    .split("\n")
    .filter((file) => file !== "");
  const contents = [program, ...found].map((file) => ({ file: realpathSync(file) }));
  return cached("node", hashOf(recipe, ...contents), async (output) => {
    await shell(
      `
      tree=$(mktemp -d); trap 'rm -rf "$tree"' EXIT
      mkdir -p "$tree/bin" "$tree/lib" "$tree/lib64" "$tree/terminfo/s"
      cp "$NODE" "$tree/bin/node"
      for file in $PROGRAMS; do cp -L "$file" "$tree/bin/"; done
      for file in $TERMINALS; do [ -e "$file" ] && cp -L "$file" "$tree/terminfo/s/"; done
      for library in $(ldd "$NODE" $PROGRAMS | grep -o '/[^ :]*' | grep '\.so' | sort -u); do
        case "$library" in */ld-linux*) cp -L "$library" "$tree/lib64/";; *) cp -L "$library" "$tree/lib/";; esac
      done
      mke2fs -q -t ext4 -O ^has_journal -d "$tree" "$OUT" "$(( $(du -sm "$tree" | cut -f1) * 11 / 10 + 16 ))M"`,
      { NODE: program, PROGRAMS: found.join(" "), TERMINALS: terminals.join(" "), OUT: output },
    );
  });
}

/** An empty ext4 file system. */
export function scratchImage(): Promise<string> {
  return cached("scratch", hashOf("64M"), async (output) => {
    await shell(`mke2fs -q -t ext4 "$OUT" 64M`, { OUT: output });
  });
}

/** Two archives, one behind the other: what stays the same, and what changes with each build. */
async function initramfsWith(kernel: Kernel, files: Record<string, string>): Promise<string> {
  const scripts = ["init.sh", "console.sh", "port-names.sh", "passwd", "group"].map((name) =>
    path.join(here, name),
  );
  const base = await cached(
    "base",
    hashOf(recipe, kernel.folder, ...scripts.map((file) => ({ file })), ...modules),
    async (output) => {
      await shell(
        `
      tree=$(mktemp -d); trap 'rm -rf "$tree"' EXIT
      mkdir -p "$tree/bin" "$tree/modules" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/etc" "$tree/root"
      cp "$(command -v busybox)" "$tree/bin/busybox"
      cp "$HERE/init.sh" "$tree/init"; cp "$HERE/port-names.sh" "$tree/bin/port-names"; cp "$HERE/console.sh" "$tree/bin/console"
      chmod 755 "$tree/init" "$tree/bin/port-names"
      ln -s /node/lib64 "$tree/lib64"; ln -s /node/lib "$tree/lib"
      printf 'NAME="Test guest"\\nVERSION_ID="1"\\n' >"$tree/etc/os-release"
      cp "$HERE/passwd" "$HERE/group" "$tree/etc/"
      chmod 755 "$tree"
      ${copyModules}
      cd "$tree" && find . | cpio -o -H newc --quiet >"$OUT"`,
        { HERE: here, KERNEL: kernel.folder, MODULES: modules.join(" "), OUT: output },
      );
    },
  );
  const contents = Object.entries(files).flatMap(([guest, file]) => [guest, { file }]);
  return cached("initramfs", hashOf(recipe, { file: base }, ...contents), async (output) => {
    for (const file of Object.values(files)) {
      if (!existsSync(file)) throw new Error(`${file} is not built; run: npm run build`);
    }
    const copies = Object.entries(files).map(
      ([guest, file]) =>
        `mkdir -p "$tree${path.dirname(guest)}"; cp -rL "${path.resolve(file)}" "$tree${guest}"`,
    );
    await shell(
      `
      tree=$(mktemp -d); trap 'rm -rf "$tree"' EXIT
      chmod 755 "$tree"
      ${copies.join("\n")}
      cp "$BASE" "$OUT"
      cd "$tree" && find . | cpio -o -H newc --quiet >>"$OUT"`,
      { BASE: base, OUT: output },
    );
  });
}

/** What decides how a guest behaves, for the name of its saved state. */
export function identityOf(images: Images): string {
  return hashOf(
    images.kernel,
    images.initramfs,
    images.nodeDisk,
    ...["qemu.ts", "machine.ts", "saved.ts"].map((name) => readFileSync(path.join(here, name), "utf8")),
  );
}
