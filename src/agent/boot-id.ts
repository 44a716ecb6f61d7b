import { readFileSync } from "node:fs";

/** Of the running system: /proc/sys/kernel/random/boot_id; in no disk, so read at once. */
export function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return ""; // a system without it: each start of the agent then counts as one of the guest, which is the safe side
  }
}
