import type { Stats } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import path from "node:path";

const sticky = 0o1000;
const writableByOthers = 0o022;

/**
 * The real path of a file or folder that only root (or who the agent runs as) can change: it and all folders above it
 * are theirs and not writable by others; in one like /tmp only what is root's own cannot be replaced. Rejects with an
 * Error that says what is wrong, or the system's.
 */
export async function trustedPath(place: string): Promise<string> {
  const real = await realpath(place);
  for (let at = real; ; at = path.dirname(at)) {
    const stats = await (at === real ? stat(at) : lstat(at));
    const problem = distrust(stats, at !== real);
    if (problem) throw new Error(`${at} ${problem}`);
    if (at === path.dirname(at)) return real;
  }
}

function distrust({ uid, mode }: Stats, isAbove: boolean): string | undefined {
  if (uid !== 0 && uid !== process.geteuid?.()) return `belongs to user ${uid}, not to root`;
  if ((mode & writableByOthers) === 0) return undefined;
  return isAbove && (mode & sticky) !== 0 ? undefined : "can be changed by others than root";
}
