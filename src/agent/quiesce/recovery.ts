import { withDeadline } from "../deadline.ts";
import { isErrno } from "../files/file-error.ts";
import type { Freezer } from "./freezer.ts";
import type { FreezeRecord, RecordFile } from "./record.ts";

/** How long each may take at the start. */
const thawMs = 10_000;

/** What was found frozen at the start. */
export interface Recovery {
  record: FreezeRecord;
  /** Mount points that were still frozen, and are not any more. */
  thawed: string[];
  /** What could not be thawed, and why. */
  problems: string[];
}

/**
 * Thaws what an agent that was killed has left frozen. To be called before anything that could write to a file system: a
 * log, for one, would hold the agent up for ever. Undefined when there is nothing. Never rejects.
 */
export async function recover(file: RecordFile, freezer: Freezer): Promise<Recovery | undefined> {
  let record: FreezeRecord | undefined;
  try {
    record = file.read();
  } catch (error) {
    await file.remove().catch(() => undefined); // the line says where it is
    return emptyRecovery(`${file.path} cannot be read: ${(error as Error).message}`);
  }
  if (record === undefined) return undefined;
  const recovery: Recovery = { record, thawed: [], problems: [] };
  for (const { mountId, mountPoint, device } of [...record.fileSystems].reverse()) {
    try {
      const isThawed = await withDeadline(thaw(freezer, mountId, device), thawMs);
      if (isThawed) recovery.thawed.push(mountPoint);
    } catch (error) {
      recovery.problems.push(`cannot thaw ${mountPoint}: ${(error as Error).message}`);
    }
  }
  try {
    await withDeadline(file.remove(), thawMs);
  } catch (error) {
    recovery.problems.push(`cannot remove ${file.path}: ${(error as Error).message}`);
  }
  return recovery;
}

/** By any of its mounts: the one that it was frozen by may be gone. False when it was thawed already, or is unmounted. */
async function thaw(freezer: Freezer, mountId: number, device: string): Promise<boolean> {
  const mounts = (await freezer.mounts()).filter((mount) => mount.device === device);
  mounts.sort((a, b) => Number(b.id === mountId) - Number(a.id === mountId));
  for (const mount of mounts) {
    const fd = await freezer.open(mount).catch((error: unknown) => {
      if (isErrno(error, "ENOTDIR", "ENOENT")) return undefined;
      throw error;
    });
    if (fd === undefined) continue;
    try {
      await freezer.thaw(fd);
      return true;
    } catch (error) {
      if (isErrno(error, "EINVAL")) return false;
      throw error;
    } finally {
      freezer.close(fd);
    }
  }
  if (mounts.length > 0) throw new Error("other mounts cover it");
  return false;
}

function emptyRecovery(problem: string): Recovery {
  const record = { bootId: "", pid: 0, startedAt: "", since: "", hooks: false, fileSystems: [] };
  return { record, thawed: [], problems: [problem] };
}
