import { FileKind } from "../../wire/envelope.ts";
import { HostError } from "../errors.ts";
import type { Message } from "../messages.ts";

export type FileInfoKind =
  "file" | "directory" | "symlink" | "fifo" | "socket" | "character-device" | "block-device" | "unknown";

/**
 * What is at a path in the guest, as the guest tells it: names, paths and numbers are untrusted. Agents without the
 * extension "files" leave the numbers 0, `version` empty, and call a file what is neither folder nor link.
 */
export interface FileInfo {
  /** The last component of the path. */
  name: string;
  path: string;
  kind: FileInfoKind;
  /** 0 for files that do not tell, such as those in /proc. */
  sizeBytes: number;
  /** Permission bits, setuid and the like included. */
  mode: number;
  uid: number;
  gid: number;
  /** Name of the user, or the number where there is no name. */
  owner: string;
  /** Name of the group, likewise. */
  group: string;
  inode: number;
  /** Names that it has. */
  linkCount: number;
  /** On disk; less than the size where there are holes. */
  allocatedBytes: number;
  /** Last change of the contents. Times are to the millisecond. */
  modifiedAt: Date;
  accessedAt: Date;
  /** Last change of contents, owner, mode or links. */
  changedAt: Date;
  /** Null where the file system does not keep it. */
  createdAt: Date | null;
  /** What a link says; else empty. */
  symlinkTarget: string;
  /** Opaque: as long as it is the same, so are the contents. */
  version: string;
}

export type DirectoryEntry = Message<"listDirectoryResponse">["entries"][number];

const kinds: Readonly<Record<number, FileInfoKind>> = {
  [FileKind.FILE_KIND_FILE]: "file",
  [FileKind.FILE_KIND_DIRECTORY]: "directory",
  [FileKind.FILE_KIND_SYMLINK]: "symlink",
  [FileKind.FILE_KIND_FIFO]: "fifo",
  [FileKind.FILE_KIND_SOCKET]: "socket",
  [FileKind.FILE_KIND_CHARACTER_DEVICE]: "character-device",
  [FileKind.FILE_KIND_BLOCK_DEVICE]: "block-device",
};

/** Throws a HostError when the agent told nothing of the file. */
export function fileInfo(entry: DirectoryEntry | null, path: string): FileInfo {
  if (entry === null) throw new HostError("agent-error", `the agent did not tell what ${path} is`);
  return {
    name: entry.name,
    path: entry.path,
    kind: kindOf(entry),
    sizeBytes: entry.sizeBytes,
    mode: entry.mode & 0o7777,
    uid: entry.uid,
    gid: entry.gid,
    owner: entry.owner,
    group: entry.group,
    inode: entry.inode,
    linkCount: entry.linkCount,
    allocatedBytes: entry.allocatedBytes,
    modifiedAt: dateOf(entry.modifiedAt),
    accessedAt: dateOf(entry.accessedAt),
    changedAt: dateOf(entry.changedAt),
    createdAt: entry.createdAt && dateOf(entry.createdAt),
    symlinkTarget: entry.symlinkTarget,
    version: entry.version,
  };
}

function kindOf({ kind, isDirectory, isSymlink }: DirectoryEntry): FileInfoKind {
  const told = kinds[kind];
  if (told) return told;
  // Agents without the extension have only these two, and what was added to them later says 0.
  if (isSymlink) return "symlink";
  return isDirectory ? "directory" : "file";
}

/** The furthest from 1970 that a Date can be, in milliseconds. */
const mostMs = 8.64e15;

/**
 * To the nearest millisecond: who sets a time as a number of seconds may miss by some nanoseconds. 1970 for one that was
 * not told, and for one beyond what a Date can be.
 */
function dateOf(timestamp: { seconds: number; nanos: number } | null): Date {
  if (timestamp === null) return new Date(0);
  const ms = timestamp.seconds * 1000 + Math.round(timestamp.nanos / 1e6);
  return new Date(Math.abs(ms) <= mostMs ? ms : 0);
}
