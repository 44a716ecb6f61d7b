import { isErrno } from "../files/file-error.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Freezer } from "./freezer.ts";
import { openTargets } from "./targets.ts";

export interface Trimmed {
  mountPoint: string;
  bytes: number;
  /** Why it was not. */
  error?: CodedError;
}

/**
 * Tells disks which blocks are unused, one file system after the other. Those that cannot be trimmed are left out, unless
 * the host has named them. `signal` ends it between two: what the disk is doing goes on. Rejects with a CodedError mount.
 */
export async function trimAll(
  freezer: Freezer,
  { mountPoints, minimumBytes }: { mountPoints: readonly string[]; minimumBytes: number },
  signal: AbortSignal,
): Promise<Trimmed[]> {
  const targets = await openTargets(freezer, mountPoints);
  const trimmed: Trimmed[] = targets.skipped.flatMap(({ mount, reason }) =>
    mountPoints.length > 0 ? [failed(mount.mountPoint, reason)] : [],
  );
  try {
    for (const { fd, mount, isNamed } of targets.open) {
      signal.throwIfAborted();
      try {
        const bytes = await untilAborted(freezer.trim(fd, minimumBytes), signal);
        trimmed.push({ mountPoint: mount.mountPoint, bytes });
      } catch (error) {
        signal.throwIfAborted();
        const cannot = isErrno(error, "EOPNOTSUPP", "ENOTSUP", "ENOTTY");
        if (cannot && !isNamed) continue;
        const why = cannot ? "the disk, or the file system, has no trimming" : (error as Error).message;
        trimmed.push(failed(mount.mountPoint, why));
      }
    }
    return trimmed;
  } finally {
    for (const { fd } of targets.open) freezer.close(fd);
  }
}

function failed(mountPoint: string, why: string): Trimmed {
  return { mountPoint, bytes: 0, error: new CodedError("mount", `cannot trim ${mountPoint}: ${why}`) };
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
