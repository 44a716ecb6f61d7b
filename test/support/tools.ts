import { spawnSync } from "node:child_process";

/** With CI set, nothing may be skipped. */
const obligatory = Boolean(process.env["CI"]) && process.env["CI"] !== "false";

/**
 * Options for a suite that needs a program of the system. Without the program the suite is skipped with a message
 * that names its Debian package; with CI set it throws that message.
 */
export function needsTool(program: string, debianPackage: string): { skip: string | false } {
  if (spawnSync("/bin/sh", ["-c", 'command -v "$1"', "sh", program]).status === 0) return { skip: false };
  const message = `${program} is not installed; on Debian or Ubuntu: sudo apt-get install ${debianPackage}`;
  if (obligatory) throw new Error(message);
  return { skip: message };
}
