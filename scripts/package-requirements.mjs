// What the suite of the packages needs of this machine, and how to get it.
import { spawnSync } from "node:child_process";

const tools = [
  { command: "x86_64-linux-gnu-g++", package: "g++", why: "compiles the addon for x86-64 Linux" },
  { command: "aarch64-linux-gnu-g++", package: "g++-aarch64-linux-gnu", why: "compiles it for ARM" },
  { command: "qemu-aarch64-static", package: "qemu-user-static", why: "runs that" },
  { command: "musl-gcc", package: "musl-tools", why: "shows that it loads with musl" },
  {
    command: "x86_64-w64-mingw32-g++-posix",
    package: "g++-mingw-w64-x86-64",
    why: "compiles it for Windows",
  },
];

/** A line for each missing tool, and one that says how to install them; empty when all is there. */
export function missingForPackage() {
  if (process.platform !== "linux" || process.arch !== "x64") return ["packages are made on x86-64 Linux"];
  const missing = tools.filter(
    ({ command }) => spawnSync("sh", ["-c", `command -v ${command}`]).status !== 0,
  );
  if (missing.length === 0) return [];
  return [
    ...missing.map(({ command, why }) => `${command} is missing (${why})`),
    `on Debian or Ubuntu: sudo apt-get install ${missing.map(({ package: name }) => name).join(" ")}`,
  ];
}
