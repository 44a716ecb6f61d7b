import { link, lstat, rename, unlink } from "node:fs/promises";
import { addon } from "../../native/addon.ts";
import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { isErrno } from "./file-error.ts";
import { type Folder, openParent } from "./folder.ts";
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
    const facts = await lstat(source.folder.at(source.name), { bigint: true });
    await policy.checkMove(source.folder.placeOf(source.name), facts);
    const target = await openParent(to, { create: false, check }).catch((error: unknown) => {
      throw isErrno(error, "ENOENT") ? noParent(`rename ${from} to ${to}`, to, error) : error;
    });
    try {
      const paths = [source.folder.at(source.name), target.folder.at(target.name)] as const;
      if (noReplace) await renameNoReplace(...paths, facts.isDirectory());
      else await rename(...paths);
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

/** Rejects with EEXIST when there is something. */
export async function renameNoReplace(from: string, to: string, isFolder: boolean): Promise<void> {
  try {
    await addon.renameNoReplace(from, to);
  } catch (error) {
    // Some file systems, of the network most of all, cannot. A kernel without the call says ENOSYS.
    if (!isErrno(error, "EINVAL") && !isErrno(error, "ENOSYS")) throw error;
    if (isFolder) {
      // At worst it replaces a folder, which must be empty, that came between.
      await requireNothing(to);
      await rename(from, to);
    } else {
      await link(from, to);
      await unlink(from);
    }
  }
}

async function requireNothing(at: string): Promise<void> {
  try {
    await lstat(at);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  throw Object.assign(new Error("it is there already"), { code: "EEXIST" });
}
