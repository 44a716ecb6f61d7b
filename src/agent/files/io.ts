// Node's file operations on plain descriptors, as promises. A FileHandle costs more, and is closed when it is garbage.
import fs from "node:fs";
import { promisify } from "node:util";

export const open: (path: fs.PathLike, flags: number, mode?: number) => Promise<number> = promisify(fs.open);
export const fsync: (fd: number) => Promise<void> = promisify(fs.fsync);
export const fchmod: (fd: number, mode: number) => Promise<void> = promisify(fs.fchmod);
export const fchown: (fd: number, uid: number, gid: number) => Promise<void> = promisify(fs.fchown);
export const futimes: (fd: number, atime: number | Date, mtime: number | Date) => Promise<void> = promisify(
  fs.futimes,
);
export const ftruncate: (fd: number, bytes: number) => Promise<void> = promisify(fs.ftruncate);

export function fstat(fd: number): Promise<fs.BigIntStats> {
  return new Promise((resolve, reject) => {
    fs.fstat(fd, { bigint: true }, (error, stats) => {
      if (error) reject(error);
      else resolve(stats);
    });
  });
}

/** Resolves to how many bytes were read; 0 at the end. */
export function read(fd: number, target: NodeJS.ArrayBufferView, position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, target, 0, target.byteLength, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}

/** Writes all of it. At `position`, or, with null, where the descriptor is. */
export async function writeAll(fd: number, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await write(fd, bytes, done, position === null ? null : position + done);
  }
}

function write(fd: number, bytes: Uint8Array, from: number, position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, from, bytes.length - from, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}

/** Closes under way. More could take all threads of the pool when a server that has to be asked is gone. */
const mostClosing = 2;
const toClose: number[] = [];
let closing = 0;

/**
 * In a thread, as a close may wait for a server, and for nobody: an error of it says only that the descriptor is gone.
 * What must be on disk was synced before.
 */
export function close(fd: number): void {
  if (closing >= mostClosing) {
    toClose.push(fd);
    return;
  }
  closing++;
  fs.close(fd, () => {
    closing--;
    const next = toClose.shift();
    if (next !== undefined) close(next);
  });
}

/** Fills `targets` one after the other from `position` on; resolves to how many bytes were read, 0 at the end. */
export function readInto(
  fd: number,
  targets: readonly NodeJS.ArrayBufferView[],
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.readv(fd, targets, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}

/** Writes all of the pieces, one after the other, from `position` on. */
export async function writePieces(fd: number, pieces: readonly Buffer[], position: number): Promise<void> {
  let left: readonly Buffer[] = pieces;
  for (let at = position; left.length > 0;) {
    const count = await writeOnce(fd, left, at);
    at += count;
    left = without(left, count);
  }
}

function writeOnce(fd: number, pieces: readonly Buffer[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(fd, pieces, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}

/** What is left of `pieces` behind `count` bytes. */
function without(pieces: readonly Buffer[], count: number): Buffer[] {
  let skip = count;
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(skip);
    skip = Math.max(0, skip - piece.length);
    return rest.length > 0 ? [rest] : [];
  });
}
