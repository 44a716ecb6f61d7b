import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { isErrno } from "./file-error.ts";
import { type Folder, openParent } from "./folder.ts";
import { system } from "./system/index.ts";
import { noParent } from "./writing.ts";

/**
 * Gives a file, folder or link another path in the same file system, at once and on disk. Both places must be writable;
 * and as what is moved out of deny_file_read_paths could be read, it is not moved. Throws CodedError writeBlocked,
 * readBlocked, fileExists, noParentDirectory, renameFailed, and the system's error.
 */
export async function relocate(
  from: string,
  to: string,
  noReplace: boolean,
  policy: PathPolicy,
): Promise<void> {
  const check = (place: string): Promise<void> => policy.checkWrite(place);
  const source = await openParent(from, { create: false, check });
  try {
    const facts = await source.folder.lstat(source.name);
    await policy.checkMove(await system.placeOf(source.folder, source.name), facts);
    const target = await openParent(to, { create: false, check }).catch((error: unknown) => {
      throw isErrno(error, "ENOENT") ? noParent(`rename ${from} to ${to}`, to, error) : error;
    });
    try {
      if (noReplace) await renameNoReplace(source, target, facts.isDirectory());
      else await system.rename(source.folder, source.name, target.folder, target.name);
      await syncBoth(source.folder, target.folder);
    } catch (error) {
      if (!isErrno(error, "EINVAL")) throw error;
      throw new CodedError("renameFailed", `cannot rename ${from}: a folder cannot be put into itself`, {
        cause: error as Error,
      });
    } finally {
      target.folder.close();
    }
  } finally {
    source.folder.close();
  }
}

async function syncBoth(source: Folder, target: Folder): Promise<void> {
  await target.sync();
  if (source.realPath !== target.realPath) await source.sync();
}

/** An entry of an open folder, which need not be there. */
interface Place {
  folder: Folder;
  name: string;
}

/** Rejects with EEXIST when there is something. */
export async function renameNoReplace(from: Place, to: Place, isFolder: boolean): Promise<void> {
  const ends = [from.folder, from.name, to.folder, to.name] as const;
  try {
    await system.renameNoReplace(...ends);
  } catch (error) {
    // Some file systems, of the network most of all, cannot. A kernel without the call says ENOSYS.
    if (!isErrno(error, "EINVAL") && !isErrno(error, "ENOSYS")) throw error;
    if (isFolder) {
      // At worst it replaces a folder, which must be empty, that came between.
      await requireNothing(to);
      await system.rename(...ends);
    } else {
      await system.link(...ends);
      await from.folder.unlink(from.name);
    }
  }
}

async function requireNothing({ folder, name }: Place): Promise<void> {
  try {
    await folder.lstat(name);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  throw Object.assign(new Error("it is there already"), { code: "EEXIST" });
}
