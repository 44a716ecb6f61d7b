// What the suites that need more than Node.js and a compiler need of this machine, and how to get it.
import { spawnSync } from "node:child_process";

const forVm = [
  { command: "qemu-system-x86_64", package: "qemu-system-x86", why: "runs the guest" },
  { command: "qemu-system-aarch64", package: "qemu-system-arm", why: "runs the guest for ARM" },
  { command: "busybox", package: "busybox-static", why: "is the guest's user space" },
  { command: "cpio", package: "cpio", why: "packs the guest's initramfs" },
  { command: "mke2fs", package: "e2fsprogs", why: "makes the guest's disks" },
  { command: "dpkg-deb", package: "dpkg", why: "unpacks the guest's kernel" },
  { command: "apt-get", package: "apt", why: "downloads the guest's kernel" },
  { command: "mmdebstrap", package: "mmdebstrap", why: "makes the systemd guest's disk" },
  { command: "xorriso", package: "xorriso", why: "makes cloud-init's seed disk" },
  { command: "vim.tiny", package: "vim-tiny", why: "is what the guest's terminal is tried with" },
  { command: "setpriv", package: "util-linux", why: "ends the guest with the program that started it" },
];

/** What mmdebstrap needs besides, where it is not root. */
const forVmOfUsers = [
  { command: "newuidmap", package: "uidmap", why: "gives the systemd guest's files their owners" },
  { command: "fakeroot", package: "fakeroot", why: "keeps them" },
];

const forWindows = [
  { command: "x86_64-w64-mingw32-g++-posix", package: "g++-mingw-w64-x86-64", why: "compiles the addon" },
  { command: "wine", package: "wine", why: "runs the agent for Windows" },
  { command: "/usr/lib/wine/wine64", package: "wine64", why: "is the Wine for 64-bit programs" },
  { command: "osslsigncode", package: "osslsigncode", why: "takes the signature off Node.js for Windows" },
  { command: "wixl", package: "wixl", why: "makes the .msi" },
  { command: "msibuild", package: "msitools", why: "completes and reads it" },
  { command: "xmllint", package: "libxml2-utils", why: "reads the answer file for Windows Setup" },
];

const forPackage = [
  { command: "dpkg-deb", package: "dpkg", why: "makes the .deb packages" },
  { command: "lintian", package: "lintian", why: "checks them" },
  { command: "rpmbuild", package: "rpm", why: "makes the .rpm packages" },
  { command: "x86_64-linux-gnu-g++", package: "g++", why: "compiles the addon for x86-64 Linux" },
  { command: "aarch64-linux-gnu-g++", package: "g++-aarch64-linux-gnu", why: "compiles it for ARM" },
  { command: "qemu-aarch64-static", package: "qemu-user-static", why: "runs that" },
  { command: "shellcheck", package: "shellcheck", why: "reads install.sh" },
  { command: "busybox", package: "busybox-static", why: "runs it" },
  { command: "mmdebstrap", package: "mmdebstrap", why: "makes the Debian 11 that it installs in" },
  { command: "xorriso", package: "xorriso", why: "makes cloud-init's seed disk" },
  { command: "musl-gcc", package: "musl-tools", why: "shows that it loads with musl" },
  {
    command: "x86_64-w64-mingw32-g++-posix",
    package: "g++-mingw-w64-x86-64",
    why: "compiles it for Windows",
  },
];

/** A line for each missing tool, and one that says how to install them; empty when all is there. */
function missing(tools, elsewhere) {
  if (process.platform !== "linux" || process.arch !== "x64") return [elsewhere];
  const absent = tools.filter(
    ({ command }) =>
      spawnSync("sh", ["-c", `command -v ${command} || test -x /sbin/${command}`]).status !== 0,
  );
  if (absent.length === 0) return [];
  const packages = [...new Set(absent.map(({ package: name }) => name))];
  return [
    ...absent.map(({ command, why }) => `${command} is missing (${why})`),
    `on Debian or Ubuntu: sudo apt-get install ${packages.join(" ")}`,
  ];
}

export function missingForVm() {
  const tools = process.getuid?.() === 0 ? forVm : [...forVm, ...forVmOfUsers];
  return missing(tools, "the guest is an x86-64 one and runs on Linux");
}

export function missingForWindows() {
  return missing(forWindows, "Windows is tested under Wine, on x86-64 Linux");
}

export function missingForPackage() {
  return missing(forPackage, "packages are made on x86-64 Linux");
}
