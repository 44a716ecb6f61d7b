import type { Stats } from "node:fs";
import { lstat, stat } from "node:fs/promises";
import { getSystemErrorMap } from "node:util";
import { HostError } from "../../host/errors.ts";

/** What is at a path of this host, behind all links; undefined when there is nothing. Rejects with "local-file". */
export async function localStat(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw localError(path, error);
  }
}

/** Whether there is something at a path of this host, a link to nothing included. Rejects with "local-file". */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw localError(path, error);
  }
}

/** "disk.img: permission denied", for what the system says of a file of this host. */
export function localError(path: string, cause: unknown): HostError {
  const { errno = 0, message } = cause as NodeJS.ErrnoException;
  const [, words = message] = getSystemErrorMap().get(errno) ?? [];
  return new HostError("local-file", `${path}: ${words}`, { cause });
}
