import { isErrno } from "../files/file-error.ts";
import { system } from "../files/system/index.ts";
import type { SharedFolder } from "./open-folders.ts";
import type { Piece, PieceStats } from "./piece.ts";
import { hasBecomeLink, type Listed, type ReadCheck, readFilePiece } from "./read-piece.ts";
import type { Skipped } from "./skipped.ts";

/** So many files are read in one go, */
export const batchFiles = 16;
/** as long as they have no more than this. */
const batchBytes = 256 * 1024;

const numbersOfFile = 10;

export interface ReadOptions {
  check: ReadCheck;
  skipped: Skipped;
  listed: Listed;
  /** Of a file's name in the folder, its name in the tree. */
  nameOf: (entry: string) => string;
}

/** The regular files `entries` of a folder; those that cannot be read are told in `skipped`. */
export async function readFilePieces(
  shared: SharedFolder,
  entries: readonly string[],
  { check, skipped, listed, nameOf }: ReadOptions,
): Promise<Piece[]> {
  const { content, numbers, errors } = await system.readFiles(shared.folder, entries, batchBytes);
  const pieces: Piece[] = [];
  for (const [index, entry] of entries.entries()) {
    const name = nameOf(entry);
    try {
      const error = errors[index];
      if (error) throw isErrno(error, "ELOOP") ? hasBecomeLink(error) : error;
      const { stats, from, bytes } = factsOf(numbers, index);
      if (from < 0 || stats.dev !== listed.folderDevice) {
        pieces.push(await readFilePiece(shared, entry, name, check, listed));
        continue;
      }
      await check(shared.folder.placeOf(entry), stats);
      pieces.push({ name, stats, type: "file", content: content.subarray(from, from + bytes) });
    } catch (error) {
      // What has gone since it was listed need not have been there.
      if (!isErrno(error, "ENOENT")) skipped.addError(name, error);
    }
  }
  return pieces;
}

function factsOf(numbers: BigInt64Array, index: number): { stats: PieceStats; from: number; bytes: number } {
  const number = (field: number): bigint => numbers[index * numbersOfFile + field] ?? 0n;
  return {
    stats: {
      dev: number(0),
      ino: BigInt.asUintN(64, number(1)),
      mode: number(2),
      nlink: number(3),
      uid: number(4),
      gid: number(5),
      size: number(6),
      mtimeNs: number(7),
    },
    from: Number(number(8)),
    bytes: Number(number(9)),
  };
}
