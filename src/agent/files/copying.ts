import { constants } from "node:fs";
import path from "node:path";
import { factCount } from "../../native/files.ts";
import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { isErrno } from "./file-error.ts";
import type { Task } from "./files.ts";
import { Folder, openParent } from "./folder.ts";
import { close, fsync, ftruncate } from "./io.ts";
import { type OpenFile, openForReading, requireFile } from "./open-file.ts";
import { renameNoReplace } from "./relocation.ts";
import { system } from "./system/index.ts";
import { temporaryName } from "./temporary.ts";
import { noParent } from "./writing.ts";

const pieceBytes = 1024 * 1024;

export interface CopyOptions {
  noReplace: boolean;
  createParents: boolean;
}

/**
 * Copies a file with its mode, owner and time; holes, and blocks of zeros, are holes afterwards. The copy is made beside its
 * place and takes it when it is whole and on disk; until then, and after an error, all is as it was. Gives its bytes.
 * Throws CodedError notAFile, fileExists, readBlocked, writeBlocked, noParentDirectory, the task's reason, and the
 * system's error.
 */
export async function copyFile(
  from: string,
  to: string,
  { noReplace, createParents }: CopyOptions,
  policy: PathPolicy,
  task: Task,
): Promise<number> {
  const source = await openForReading(from, policy);
  try {
    const place = await targetOf(to, source, noReplace);
    const { folder, name } = await openParent(place, {
      create: createParents,
      check: (real) => policy.checkWrite(real),
    }).catch((error: unknown) => {
      throw isErrno(error, "ENOENT") ? noParent(`copy to ${to}`, to, error) : error;
    });
    try {
      const temporary = temporaryName();
      const bytes = await makeCopy(source, folder, temporary, task);
      try {
        await putInPlace(folder, temporary, name, noReplace);
      } catch (error) {
        await folder.unlink(temporary);
        throw error;
      }
      await folder.sync();
      return bytes;
    } finally {
      folder.close();
    }
  } finally {
    close(source.fd);
  }
}

/** Where the copy goes: if a link is there, where that leads. */
async function targetOf(to: string, source: OpenFile, noReplace: boolean): Promise<string> {
  let fd: number;
  try {
    fd = await system.openPath(to, { follow: true });
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    const dangling = await isThere(to);
    if (dangling && noReplace) throw new CodedError("fileExists", `${to} is there already`);
    if (dangling) throw new CodedError("fileNotFound", `${to} is a link that leads nowhere`);
    return to;
  }
  try {
    const stats = await system.fstat(fd);
    if (stats.dev === source.stats.dev && stats.ino === source.stats.ino) {
      throw new CodedError("fileExists", `${to} is the file itself that is to be copied`);
    }
    if (noReplace) throw new CodedError("fileExists", `${to} is there already`);
    requireFile(to, stats);
    return await system.realPathOf(fd);
  } finally {
    close(fd);
  }
}

/** Also a link that leads nowhere. */
async function isThere(place: string): Promise<boolean> {
  try {
    const folder = await Folder.open(path.dirname(place));
    try {
      await folder.lstat(path.basename(place));
      return true;
    } finally {
      folder.close();
    }
  } catch {
    return false; // whoever makes the copy is told why
  }
}

async function putInPlace(
  folder: Folder,
  temporary: string,
  name: string,
  noReplace: boolean,
): Promise<void> {
  if (noReplace) await renameNoReplace({ folder, name: temporary }, { folder, name }, false);
  else await folder.rename(temporary, name);
}

/** Removed again after an error. */
async function makeCopy(source: OpenFile, folder: Folder, temporary: string, task: Task): Promise<number> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const fd = await folder.open(temporary, flags, 0o600);
  try {
    const bytes = await copyBytes(source.fd, fd, task);
    await copyAttributes(source, fd);
    await fsync(fd);
    return bytes;
  } catch (error) {
    await folder.unlink(temporary);
    throw error;
  } finally {
    close(fd);
  }
}

async function copyBytes(from: number, to: number, task: Task): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  const facts = new Float64Array(factCount);
  for (let offset = 0; ;) {
    task.signal.throwIfAborted();
    offset = await system.seekData(from, offset);
    const count = await system.readAt(from, offset, buffer, facts);
    if (count === 0) {
      await ftruncate(to, offset); // the hole at the end
      return offset;
    }
    await system.writeSparse(to, offset, buffer.subarray(0, count), facts);
    offset += count;
    task.alive();
  }
}

/** An agent that is not root cannot give files away: then the copy is its own, without setuid. */
async function copyAttributes({ fd: from }: OpenFile, to: number): Promise<void> {
  const { uid, gid, mode, atimeNs, mtimeNs } = await system.fstat(from);
  const keepsOwner = await system.fchown(to, Number(uid), Number(gid)).then(
    () => true,
    (error: unknown) => {
      if (isErrno(error, "EPERM")) return false;
      throw error;
    },
  );
  await system.fchmod(to, Number(mode) & (keepsOwner ? 0o7777 : 0o777));
  await system.futimes(to, secondsOf(atimeNs), secondsOf(mtimeNs));
}

/** Cut off after the microseconds, which is about what a number can hold of today: never later than it was. */
function secondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n) / 1e6;
}
