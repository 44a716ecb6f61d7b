import type { BigIntStats } from "node:fs";
import { FileKind } from "../../wire/envelope.ts";
import type { Response } from "../../wire/operations.ts";

export type Entry = NonNullable<Response<"fileStat">["entry"]>;

/** What is told of a file. `owner` and `group` are names, or numbers where there are none. */
export function entryOf(
  place: { name: string; path: string; symlinkTarget?: string | undefined },
  stats: BigIntStats,
  { owner, group }: { owner: string; group: string },
): Entry {
  return {
    name: place.name,
    path: place.path,
    isDirectory: stats.isDirectory(),
    isSymlink: stats.isSymbolicLink(),
    sizeBytes: Number(stats.size),
    mode: Number(stats.mode) & 0o7777,
    modifiedAt: timeOf(stats.mtimeNs),
    createdAt: timeOf(stats.birthtimeNs),
    owner,
    group,
    symlinkTarget: place.symlinkTarget ?? "",
    kind: kindOf(stats),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    inode: Number(stats.ino),
    linkCount: Number(stats.nlink),
    allocatedBytes: Number(stats.blocks) * 512, // stat(2): of 512 bytes, whatever the file system's are
    accessedAt: timeOf(stats.atimeNs),
    changedAt: timeOf(stats.ctimeNs),
    version: versionOf(stats),
  };
}

/** Another one when the contents may be others. */
export function versionOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs].map((number) => number.toString(36)).join("-");
}

export function kindOf(stats: BigIntStats): FileKind {
  if (stats.isFile()) return FileKind.FILE_KIND_FILE;
  if (stats.isDirectory()) return FileKind.FILE_KIND_DIRECTORY;
  if (stats.isSymbolicLink()) return FileKind.FILE_KIND_SYMLINK;
  if (stats.isFIFO()) return FileKind.FILE_KIND_FIFO;
  if (stats.isSocket()) return FileKind.FILE_KIND_SOCKET;
  if (stats.isCharacterDevice()) return FileKind.FILE_KIND_CHARACTER_DEVICE;
  if (stats.isBlockDevice()) return FileKind.FILE_KIND_BLOCK_DEVICE;
  return FileKind.FILE_KIND_UNKNOWN;
}

const second = 1_000_000_000n;

/** A google.protobuf.Timestamp. */
export function timeOf(nanoseconds: bigint): { seconds: number; nanos: number } {
  const seconds = (nanoseconds - (((nanoseconds % second) + second) % second)) / second;
  return { seconds: Number(seconds), nanos: Number(nanoseconds - seconds * second) };
}
