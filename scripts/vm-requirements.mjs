// What the VM suite needs of this machine, and how to get it.
import { spawnSync } from "node:child_process";

const tools = [
  { command: "qemu-system-x86_64", package: "qemu-system-x86", why: "runs the guest" },
  { command: "busybox", package: "busybox-static", why: "is the guest's user space" },
  { command: "cpio", package: "cpio", why: "packs the guest's initramfs" },
  { command: "mke2fs", package: "e2fsprogs", why: "makes the guest's disks" },
  { command: "dpkg-deb", package: "dpkg", why: "unpacks the guest's kernel" },
  { command: "apt-get", package: "apt", why: "downloads the guest's kernel" },
  { command: "mmdebstrap", package: "mmdebstrap", why: "makes the systemd guest's disk" },
  { command: "vim.tiny", package: "vim-tiny", why: "is what the guest's terminal is tried with" },
  { command: "setpriv", package: "util-linux", why: "ends the guest with the program that started it" },
];

/** What mmdebstrap needs of it besides, where it is not root. */
const toolsOfUsers = [
  { command: "newuidmap", package: "uidmap", why: "gives the systemd guest's files their owners" },
  { command: "fakeroot", package: "fakeroot", why: "keeps them" },
];

/** A line for each missing tool, and one that says how to install them; empty when all is there. */
export function missingForVm() {
  if (process.platform !== "linux" || process.arch !== "x64")
    return ["the guest is an x86-64 one and runs on Linux"];
  const needed = process.getuid?.() === 0 ? tools : [...tools, ...toolsOfUsers];
  const missing = needed.filter(
    ({ command }) =>
      spawnSync("sh", ["-c", `command -v ${command} || test -x /sbin/${command}`]).status !== 0,
  );
  if (missing.length === 0) return [];
  return [
    ...missing.map(({ command, why }) => `${command} is missing (${why})`),
    `on Debian or Ubuntu: sudo apt-get install ${missing.map(({ package: name }) => name).join(" ")}`,
  ];
}
