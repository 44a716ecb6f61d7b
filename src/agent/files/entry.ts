import { constants } from "node:fs";
import { FileKind } from "../../wire/envelope.ts";
import type { Response } from "../../wire/operations.ts";

export type Entry = NonNullable<Response<"fileStat">["entry"]>;

/** What the system tells of a file; fs.BigIntStats are such. */
export interface Facts {
  dev: bigint;
  ino: bigint;
  mode: bigint;
  nlink: bigint;
  uid: bigint;
  gid: bigint;
  size: bigint;
  blocks: bigint;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  birthtimeNs: bigint;
  /** On Windows, which has no numbers for them: S-1-5-18. */
  ownerSid?: string;
  groupSid?: string;
}

/** What is told of a file. `owner` and `group` are names, or numbers where there are none. */
export function entryOf(
  place: { name: string; path: string; symlinkTarget?: string | undefined },
  stats: Facts,
  { owner, group }: { owner: string; group: string },
): Entry {
  const kind = kindOf(stats);
  return {
    name: place.name,
    path: place.path,
    isDirectory: kind === FileKind.FILE_KIND_DIRECTORY,
    isSymlink: kind === FileKind.FILE_KIND_SYMLINK,
    sizeBytes: Number(stats.size),
    mode: Number(stats.mode) & 0o7777,
    modifiedAt: timeOf(stats.mtimeNs),
    createdAt: timeOf(stats.birthtimeNs),
    owner,
    group,
    symlinkTarget: place.symlinkTarget ?? "",
    kind,
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
export function versionOf({
  dev,
  ino,
  size,
  mtimeNs,
}: Pick<Facts, "dev" | "ino" | "size" | "mtimeNs">): string {
  return [dev, ino, size, mtimeNs].map((number) => number.toString(36)).join("-");
}

const kinds = new Map([
  [constants.S_IFREG, FileKind.FILE_KIND_FILE],
  [constants.S_IFDIR, FileKind.FILE_KIND_DIRECTORY],
  [constants.S_IFLNK, FileKind.FILE_KIND_SYMLINK],
  [constants.S_IFIFO, FileKind.FILE_KIND_FIFO],
  [constants.S_IFSOCK, FileKind.FILE_KIND_SOCKET],
  [constants.S_IFCHR, FileKind.FILE_KIND_CHARACTER_DEVICE],
  [constants.S_IFBLK, FileKind.FILE_KIND_BLOCK_DEVICE],
]);

export function kindOf({ mode }: Pick<Facts, "mode">): FileKind {
  return kinds.get(Number(mode) & constants.S_IFMT) ?? FileKind.FILE_KIND_UNKNOWN;
}

const second = 1_000_000_000n;

/** A google.protobuf.Timestamp. */
export function timeOf(nanoseconds: bigint): { seconds: number; nanos: number } {
  const seconds = (nanoseconds - (((nanoseconds % second) + second) % second)) / second;
  return { seconds: Number(seconds), nanos: Number(nanoseconds - seconds * second) };
}
