import { constants } from "node:fs";
import { CodedError } from "../../wire/errors.ts";
import { requireFile } from "../files/open-file.ts";
import { isErrno } from "../files/file-error.ts";
import { close, read } from "../files/io.ts";
import { system } from "../files/system/index.ts";
import type { SharedFolder } from "./open-folders.ts";
import type { Piece } from "./piece.ts";

/** Files up to this size are read ahead, whole. */
export const smallFileBytes = 64 * 1024;

export type ReadCheck = (place: string, file: { dev: bigint; ino: bigint }) => Promise<void>;

/** O_NONBLOCK: what has become a FIFO since it was listed does not make us wait. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Where a file was listed. */
export interface Listed {
  folderDevice: bigint;
  /** Of the tree. */
  mount: string;
}

/**
 * Opens the regular file `entry` in a folder, and reads it if it is small. Rejects with the system's error, or CodedError:
 * readBlocked, notAFile.
 */
export async function readFilePiece(
  { folder }: SharedFolder,
  entry: string,
  name: string,
  check: ReadCheck,
  { folderDevice, mount }: Listed,
): Promise<Piece> {
  const fd = await folder.open(entry, flags).catch((error: unknown): never => {
    throw isErrno(error, "ELOOP") ? hasBecomeLink(error) : error;
  });
  let isKept = false;
  try {
    const stats = await system.fstat(fd);
    requireFile(name, stats);
    // In an overlay, files may have another device than their folder.
    if (stats.dev !== folderDevice && (await system.mountOf(fd)) !== mount) {
      throw new CodedError("notAFile", "another file system");
    }
    await check(folder.placeOf(entry), stats);
    if (stats.size > smallFileBytes) {
      isKept = true;
      return { name, stats, type: "large-file", fd };
    }
    return { name, stats, type: "file", content: await readUpTo(fd, Number(stats.size)) };
  } finally {
    if (!isKept) close(fd);
  }
}

export function hasBecomeLink(cause: unknown): Error {
  return new Error("it has become a link meanwhile", { cause });
}

/** What has become shorter meanwhile is taken as it is now: its size has not been announced yet. */
async function readUpTo(fd: number, bytes: number): Promise<Buffer> {
  const content = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  while (filled < bytes) {
    const count = await read(fd, content.subarray(filled), filled);
    if (count === 0) break;
    filled += count;
  }
  return content.subarray(0, filled);
}

/** As the link is; what it leads to does not matter. */
export async function readLinkPiece(
  { folder }: SharedFolder,
  entry: string,
  name: string,
  check: ReadCheck,
): Promise<Piece> {
  const stats = await folder.lstat(entry);
  if (!stats.isSymbolicLink()) throw new Error("it is no link any more");
  await check(folder.placeOf(entry), stats);
  const target = await system.readlink(folder, entry);
  if (!isText(target)) throw new Error("its target is not UTF-8");
  return { name, stats, type: "symlink", target };
}

/** Node puts U+FFFD where a name is not UTF-8: it would lead elsewhere. A name that has that character itself is taken for one. */
export function isText(name: string): boolean {
  return !name.includes("\ufffd");
}
