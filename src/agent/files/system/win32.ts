import { constants } from "node:fs";
import path from "node:path";
import { addon } from "../../../native/addon.ts";
import { atEnd, disposition, option } from "../../../native/files-win32.ts";
import type { Time } from "../../../native/files.ts";
import { isErrno } from "../file-error.ts";
import { close } from "../io.ts";
import { isWithin } from "../path.ts";
import type { FileSystem, OpenFolder } from "./types.ts";
import { entries, readNames } from "./win32-entries.ts";
import { howOf, openIn, openPath, realPathOf, systemError, toLook } from "./win32-open.ts";
import { readAt, readPiece, writePiece, writeSparse } from "./win32-pieces.ts";
import { placeFiles, readFiles } from "./win32-small-files.ts";
import { type WindowsStats, statsOf } from "./win32-stats.ts";
import { makeSymlink } from "./win32-symlink.ts";
import { removeTree } from "./win32-tree-removal.ts";

const itself = { ...toLook, atEnd: atEnd.open };
const folderItself = { ...toLook, options: option.folder, atEnd: atEnd.refuse };
const newFolder = { ...folderItself, disposition: disposition.create };

/** Error numbers of Windows: the file system, or who we are, does not allow a flush; it has no access lists. */
const unavailable = [1, 5, 50];

/** Each folder is open, and what is done in it is done by that handle: see src/native/files-win32.ts. */
export const system: FileSystem = {
  openPath: (file, { follow }) => openPath(file, follow ? toLook : itself),
  openFolder: (folder) => openPath(folder, { ...toLook, options: option.folder }),
  enter: (folder, name) =>
    openIn(folder.fd, name, folderItself).catch((error: unknown): never => {
      throw isErrno(error, "ELOOP") ? systemError("ENOTDIR", `${name} is a link`) : error;
    }),
  openEntry: (folder, name) => openIn(folder.fd, name, itself),
  duplicate: (fd) => openIn(fd, "", toLook),
  openForSync: (fd) => openIn(fd, "", toLook),
  reopen: (fd, flags) => openIn(fd, "", howOf(flags)),
  // What is made here is to be renamed, or removed, by other handles: they share it.
  open: (folder, name, flags) => openIn(folder.fd, name, howOf(flags)),
  realPathOf,
  placeOf: async (folder, name) => {
    try {
      return await withEntry(folder, name, realPathOf); // which has no short names any more
    } catch (error) {
      if (isErrno(error, "ENOENT")) return path.join(folder.realPath, name);
      throw error;
    }
  },
  isSystems: (place) => isWithin(process.env["SystemRoot"] ?? "C:\\Windows", place),

  fstat: async (fd) => present(await statsOf(fd), "."),
  lstat,
  stat: async (folder, name) => {
    const fd = await openPath(path.join(folder.realPath, name), toLook);
    try {
      return present(await statsOf(fd), name);
    } finally {
      close(fd);
    }
  },
  readlink: async (folder, name) => {
    const stats = await lstat(folder, name);
    if (stats.isSymbolicLink()) return stats.target;
    throw systemError("EINVAL", `${name} is no link`);
  },

  mkdir: async (folder, name) => {
    close(await openIn(folder.fd, name, newFolder));
  },
  unlink: (folder, name) => addon.removeIn(folder.fd, name, false),
  rmdir: (folder, name) => addon.removeIn(folder.fd, name, true),
  rename: (from, name, to, newName) => addon.renameIn(from.fd, name, to.fd, newName, true),
  renameNoReplace: (from, name, to, newName) => addon.renameIn(from.fd, name, to.fd, newName, false),
  link: (from, name, to, newName) => addon.linkIn(from.fd, name, to.fd, newName),
  symlink: makeSymlink,

  chmod: setMode,
  chown: keepOwner,
  utimes: setTimes,
  setModified: (fd, modified) => addon.setAttributes(fd, undefined, undefined, nanosecondsOf(modified)),
  fchmod: setMode,
  fchown: keepOwner,
  futimes: (fd, accessed, modified) =>
    setTimes(fd, typeof accessed === "number" ? accessed : accessed.getTime() / 1000, modified),
  lchown: keepOwner,
  lutimes: (folder, name, accessed, modified) =>
    withEntry(folder, name, (fd) => setTimes(fd, accessed, modified)),
  lsetModified: (folder, name, modified) =>
    withEntry(folder, name, (fd) => addon.setAttributes(fd, undefined, undefined, nanosecondsOf(modified))),
  copyAccess: (folder, name, to) =>
    withEntry(folder, name, (from) => addon.copySecurity(from, to)).catch(unlessUnavailable),

  entries,
  readNames,
  list: async (folder, names) => {
    const found = await statsOf(
      folder.fd,
      names.map((name) => name.toString()),
    );
    return found.map((facts) => facts && { facts, symlinkTarget: facts.target });
  },
  removeTree,

  syncFolder: (folder) => addon.syncFolder(folder.fd).catch(unlessUnavailable),
  // An agent that is no administrator leaves it to Windows, which writes within seconds.
  syncfs: (fd) => addon.syncVolume(fd).catch(unlessUnavailable),
  // Where something is mounted is a link for us, and nothing follows one into a tree.
  mountOf: () => Promise.resolve(""),
  watchedPath: (_, realPath) => `\\\\?\\${realPath}`,

  readPiece,
  writePiece,
  // Windows does not tell what of a file is in memory.
  readCached: () => false,
  readNow: () => 0,
  seekData: (_, offset) => Promise.resolve(offset),
  readAt,
  writeSparse,
  readFiles,
  placeFiles,
};

function present(found: readonly (WindowsStats | undefined)[], name: string): WindowsStats {
  const [stats] = found;
  if (stats) return stats;
  throw systemError("ENOENT", `no such file or folder: ${name}`);
}

async function lstat(folder: OpenFolder, name: string): Promise<WindowsStats> {
  return present(await statsOf(folder.fd, [name]), name);
}

async function withEntry<T>(folder: OpenFolder, name: string, work: (fd: number) => Promise<T>): Promise<T> {
  const fd = await openIn(folder.fd, name, itself);
  try {
    return await work(fd);
  } finally {
    close(fd);
  }
}

/** Without any permission to write, a file is read-only. Who may do what besides is a matter of its access list. */
function setMode(fd: number, mode: number): Promise<void> {
  const { S_IWUSR } = constants;
  return addon.setAttributes(fd, (mode & (S_IWUSR | 0o022)) === 0, undefined, undefined);
}

/** Numbers of other systems mean nobody here. */
function keepOwner(): Promise<void> {
  return Promise.resolve();
}

function setTimes(fd: number, accessed: number, modified: number): Promise<void> {
  return addon.setAttributes(fd, undefined, nanoseconds(accessed), nanoseconds(modified));
}

/** Cut off after the microseconds, as many as a number can hold of today. */
function nanoseconds(seconds: number): bigint {
  return BigInt(Math.floor(seconds * 1e6)) * 1000n;
}

function nanosecondsOf({ seconds, nanos }: Time): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}

function unlessUnavailable(error: unknown): void {
  const { windowsError } = error as { windowsError?: number };
  if (windowsError === undefined || !unavailable.includes(windowsError)) throw error;
}
