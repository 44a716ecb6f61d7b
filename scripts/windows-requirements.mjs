// What the Windows suite needs of this machine, and how to get it.
import { spawnSync } from "node:child_process";

const tools = [
  { command: "x86_64-w64-mingw32-g++-posix", package: "g++-mingw-w64-x86-64", why: "compiles the addon" },
  { command: "wine", package: "wine", why: "runs the agent for Windows" },
  { command: "/usr/lib/wine/wine64", package: "wine64", why: "is the Wine for 64-bit programs" },
  { command: "socat", package: "socat", why: "joins a port of Windows to a socket of the host" },
];

/** A line for each missing tool, and one that says how to install them; empty when all is there. */
export function missingForWindows() {
  if (process.platform !== "linux" || process.arch !== "x64")
    return ["Windows is tested under Wine, on x86-64 Linux"];
  const missing = tools.filter(
    ({ command }) => spawnSync("sh", ["-c", `command -v ${command}`]).status !== 0,
  );
  if (missing.length === 0) return [];
  return [
    ...missing.map(({ command, why }) => `${command} is missing (${why})`),
    `on Debian or Ubuntu: sudo apt-get install ${missing.map(({ package: name }) => name).join(" ")}`,
  ];
}
