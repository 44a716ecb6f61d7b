import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import { isErrno } from "../files/file-error.ts";
import { type Folder, openParent } from "../files/folder.ts";
import { close } from "../files/io.ts";
import { requireFile } from "../files/open-file.ts";
import { type FileStats, system } from "../files/system/index.ts";
import type { PathPolicy } from "../policy/path-policy.ts";

/** The place that a file is to have. */
export interface Target {
  /** The caller closes it. */
  folder: Folder;
  name: string;
  /** What is there; undefined when there is nothing. */
  stats: FileStats | undefined;
}

/**
 * Where `file` is: a link is followed, as what it leads to is to be replaced. Rejects with the system's error or a
 * CodedError: writeBlocked, notAFile, fileNotFound for a link that leads nowhere.
 */
export async function resolveTarget(
  file: string,
  policy: PathPolicy,
  { createParents }: { createParents: boolean },
): Promise<Target> {
  const found = await realPlaceOf(file);
  const { folder, name } = await openParent(found ?? file, {
    create: createParents && found === undefined,
    check: (place) => policy.checkWrite(place),
  });
  try {
    const stats = await lookAt(folder, name);
    if (stats?.isSymbolicLink()) {
      throw new CodedError("fileNotFound", `${file} is a link that leads nowhere, or is changed just now`);
    }
    if (stats) requireFile(file, stats);
    return { folder, name, stats };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** What an entry of a folder is, a link itself; undefined when there is none. */
export async function lookAt(folder: Folder, name: string): Promise<FileStats | undefined> {
  try {
    return await folder.lstat(name);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Without links; undefined when nothing is there. */
async function realPlaceOf(file: string): Promise<string | undefined> {
  let fd: number;
  try {
    fd = await system.openPath(file, { follow: true });
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    const stats = await system.fstat(fd);
    requireFile(file, stats);
    const isGone = stats.nlink === 0n; // removed a moment ago: it has no path any more
    return isGone ? undefined : path.normalize(await system.realPathOf(fd));
  } finally {
    close(fd);
  }
}
