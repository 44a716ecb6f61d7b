import type { FileHandle } from "node:fs/promises";
import type { createHash } from "node:crypto";
import type { ProgressTeller } from "./progress.ts";
import type { ByteSource } from "./source.ts";
import { HostError } from "../errors.ts";
import { locally } from "./local-error.ts";

/** What is written at once: fewer are slower, more are no faster. */
const batchBytes = 1024 * 1024;

export type Hash = ReturnType<typeof createHash>;

/**
 * Writes all that comes from the guest behind what the file has, and gives how much it was. One batch is written while
 * the next comes; the guest gets credit for what is written. The file never has holes, so that what is there of it is
 * always its beginning.
 */
export async function appendAll(
  file: FileHandle,
  localPath: string,
  source: ByteSource,
  {
    at,
    mostBytes,
    hash,
    progress,
  }: { at: number; mostBytes: number; hash: Hash | undefined; progress: ProgressTeller },
): Promise<number> {
  let end = at;
  let writing: Promise<void> = Promise.resolve();
  try {
    for (
      let pieces = await source.next(batchBytes);
      pieces !== undefined;
      pieces = await source.next(batchBytes)
    ) {
      const batch = pieces;
      const position = end;
      const bytes = batch.reduce((sum, { length }) => sum + length, 0);
      end += bytes;
      if (hash) for (const piece of batch) hash.update(piece);
      if (end > mostBytes) throw tooLarge(localPath, mostBytes);
      await writing;
      writing = locally(`write ${localPath}`, () => writeAll(file, batch, position)).then(() => {
        source.taken(bytes);
        progress.add(bytes);
      });
      writing.catch(() => undefined); // the next turn, or the end, throws it
    }
  } finally {
    await writing;
  }
  return end - at;
}

export function tooLarge(what: string, mostBytes: number): HostError {
  return new HostError("too-large", `${what}: more than the ${mostBytes} bytes that are allowed came`);
}

/** writev(2) takes so many at once: IOV_MAX. */
const mostPieces = 1024;

/** Writes all of them, one behind the other. */
export async function writeAll(file: FileHandle, pieces: readonly Buffer[], position: number): Promise<void> {
  let at = position;
  for (let rest = pieces; rest.length > 0;) {
    const { bytesWritten } = await file.writev(rest.slice(0, mostPieces), at);
    at += bytesWritten;
    rest = without(rest, bytesWritten);
  }
}

/** The pieces without their first bytes. */
function without(pieces: readonly Buffer[], bytes: number): readonly Buffer[] {
  let left = bytes;
  for (const [index, piece] of pieces.entries()) {
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(index + 1)];
    left -= piece.length;
  }
  return [];
}
