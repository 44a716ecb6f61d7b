import fs, { constants } from "node:fs";
import { chmod, chown, lchown, link, lstat, lutimes, mkdir, opendir, readlink } from "node:fs/promises";
import { rename, rmdir, stat, symlink, unlink, utimes } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { addon } from "../../../native/addon.ts";
import { entryNumber, entryNumbers, fact } from "../../../native/files.ts";
import { mountOf } from "../../trees/mount.ts";
import type { Facts } from "../entry.ts";
import { close, fsync, open } from "../io.ts";
import type { FileSystem, Listed, OpenFolder } from "./types.ts";

// fcntl(2), the same on every Linux that Node runs on; Node does not name it.
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

const separator = Buffer.from([0]);

/** A path that leads to an open descriptor, whatever has become of the one that it was opened by. */
export function pathOf(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function at({ fd }: Pick<OpenFolder, "fd">, name: string): string {
  return `/proc/self/fd/${fd}/${name}`;
}

/** What openat(2) and its like do in C, /proc/self/fd/N/name does for Node's functions. */
export const system: FileSystem = {
  openPath: (file, { follow }) => open(file, O_PATH | (follow ? 0 : O_NOFOLLOW)),
  openFolder: (folder) => open(folder, O_PATH | O_DIRECTORY),
  enter: (folder, name) => open(at(folder, name), O_PATH | O_DIRECTORY | O_NOFOLLOW),
  openEntry: (folder, name) => open(at(folder, name), O_PATH | O_NOFOLLOW),
  duplicate: (fd) => open(pathOf(fd), O_PATH | O_DIRECTORY),
  openForSync: (fd) => open(pathOf(fd), O_RDONLY | O_DIRECTORY),
  reopen: (fd, flags) => open(pathOf(fd), flags),
  open: (folder, name, flags, mode) => open(at(folder, name), flags | O_NOFOLLOW, mode),
  realPathOf: (fd) => readlink(pathOf(fd)),

  placeOf: ({ realPath }, name) => path.join(realPath, name),
  isSystems: () => false,

  fstat: (fd) =>
    new Promise((resolve, reject) => {
      fs.fstat(fd, { bigint: true }, (error, stats) => {
        if (error) reject(error);
        else resolve(stats);
      });
    }),
  lstat: (folder, name) => lstat(at(folder, name), { bigint: true }),
  stat: (folder, name) => stat(at(folder, name), { bigint: true }),
  readlink: (folder, name) => readlink(at(folder, name)),

  mkdir: async (folder, name, mode) => {
    await mkdir(at(folder, name), mode);
  },
  unlink: (folder, name) => unlink(at(folder, name)),
  rmdir: (folder, name) => rmdir(at(folder, name)),
  rename: (from, name, to, newName) => rename(at(from, name), at(to, newName)),
  renameNoReplace: (from, name, to, newName) => addon.renameNoReplace(at(from, name), at(to, newName)),
  link: (from, name, to, newName) => link(at(from, name), at(to, newName)), // link(2) follows no link at the end
  symlink: (target, folder, name) => symlink(target, at(folder, name)),

  chmod: (fd, mode) => chmod(pathOf(fd), mode),
  chown: (fd, uid, gid) => chown(pathOf(fd), uid, gid),
  utimes: (fd, accessed, modified) => utimes(pathOf(fd), accessed, modified),
  setModified: (fd, modified) => addon.setModified(pathOf(fd), modified, true),
  fchmod: promisify(fs.fchmod),
  fchown: promisify(fs.fchown),
  futimes: promisify(fs.futimes),
  lchown: (folder, name, uid, gid) => lchown(at(folder, name), uid, gid),
  lutimes: (folder, name, accessed, modified) => lutimes(at(folder, name), accessed, modified),
  lsetModified: (folder, name, modified) => addon.setModified(at(folder, name), modified, false),
  copyAccess: () => Promise.resolve(),

  entries: async function* ({ fd }) {
    yield* await opendir(pathOf(fd), { bufferSize: 512 });
  },
  readNames: async ({ fd }, after, most, hidden) => {
    const { names, total } = await addon.readNames(pathOf(fd), after, most, hidden);
    return { names: split(names), total };
  },
  list,
  removeTree: ({ fd }, name) => addon.removeTree(fd, name),

  syncFolder: async (folder) => {
    const fd = await open(pathOf(folder.fd), O_RDONLY | O_DIRECTORY);
    try {
      await fsync(fd);
    } finally {
      close(fd);
    }
  },
  syncfs: addon.syncfs,
  mountOf,

  // What is not there for the kernel has no events.
  watchedPath: (fd, _, isFolder) => (isFolder ? `${pathOf(fd)}/.` : pathOf(fd)),

  readPiece: addon.readPiece,
  writePiece: addon.writePiece,
  readCached: addon.readCached,
  readNow: addon.readNow,
  seekData: addon.seekData,
  readAt: async (fd, offset, data, facts) => {
    await addon.readPiece(fd, pathOf(fd), offset, data, facts);
    return facts[fact.count] ?? 0;
  },
  writeSparse: async (fd, offset, data, facts) => {
    await addon.writePiece(fd, pathOf(fd), offset, data, facts, true);
  },
  readFiles: ({ fd }, names, mostBytes) => addon.readFiles(fd, names, mostBytes),
  placeFiles: ({ fd }, files) => addon.placeFiles(fd, files),
};

async function list(folder: OpenFolder, names: readonly Buffer[]): Promise<(Listed | undefined)[]> {
  const { numbers, links } = await addon.readEntries(folder.fd, joined(names));
  const targets = split(links);
  return names.map((_, index) => {
    const facts = factsAt(numbers, index);
    return facts && { facts, symlinkTarget: targets[index]?.toString() ?? "" };
  });
}

/** Names that the addon has joined. */
function split(joined: Buffer): Buffer[] {
  const names: Buffer[] = [];
  for (let from = 0; from < joined.length;) {
    const end = joined.indexOf(0, from);
    names.push(joined.subarray(from, end < 0 ? joined.length : end));
    from = end < 0 ? joined.length : end + 1;
  }
  return names;
}

function joined(names: readonly Buffer[]): Buffer {
  return Buffer.concat(names.flatMap((name, index) => (index === 0 ? [name] : [separator, name])));
}

/** Undefined for what has gone. */
export function factsAt(numbers: BigInt64Array, index: number): Facts | undefined {
  const number = (name: keyof typeof entryNumber): bigint =>
    numbers[index * entryNumbers + entryNumber[name]] ?? 0n;
  if (number("isThere") === 0n) return undefined;
  return {
    ...{ dev: number("dev"), ino: number("ino"), mode: number("mode"), nlink: number("nlink") },
    ...{ uid: number("uid"), gid: number("gid"), size: number("size"), blocks: number("blocks") },
    ...{
      atimeNs: number("atimeNs"),
      mtimeNs: number("mtimeNs"),
      ctimeNs: number("ctimeNs"),
      birthtimeNs: number("birthtimeNs"),
    },
  };
}
