import type { HeldFile } from "../files/held-file.ts";

/** As most file systems have them. */
const blockBytes = 4096;

const zeros = Buffer.alloc(blockBytes);

/** Writes to a new file and leaves holes where blocks are zero. Its size is set by who knows the end. */
export class SparseWriter {
  readonly #file: Pick<HeldFile, "write">;

  constructor(file: Pick<HeldFile, "write">) {
    this.#file = file;
  }

  async write(pieces: readonly Buffer[], position: number): Promise<void> {
    let at = position;
    for (const piece of pieces) {
      for (const run of dataRuns(piece, at)) {
        await this.#file.write([piece.subarray(run.from, run.to)], at + run.from);
      }
      at += piece.length;
    }
  }
}

/** What has to be written of a piece of the file. Parts of blocks at its ends are looked at like whole ones. */
export function dataRuns(piece: Buffer, position: number): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (let from = 0; from < piece.length;) {
    const to = Math.min(from + blockBytes - ((position + from) % blockBytes), piece.length);
    const isHole = piece.subarray(from, to).equals(zeros.subarray(0, to - from));
    const last = runs.at(-1);
    if (!isHole) {
      if (last?.to === from) last.to = to;
      else runs.push({ from, to });
    }
    from = to;
  }
  return runs;
}
