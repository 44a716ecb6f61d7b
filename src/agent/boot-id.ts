import { readFileSync } from "node:fs";

/** Of the running system: /proc/sys/kernel/random/boot_id.. */
export function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return ""; // a system without it: nothing outlives a restart of the agent there
  }
}
