/** Small writes are joined up to this: many pieces would cost more than their bytes. */
const pieceBytes = 4096;

/** The newest bytes of a stream, up to a limit. Positions count from the stream's first byte. */
export class OutputHistory {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #start = 0;
  #end = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Position of the oldest byte that is kept. */
  get start(): number {
    return this.#start;
  }

  /** Position behind the newest byte. */
  get end(): number {
    return this.#end;
  }

  /** Copies the bytes. */
  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const last = this.#pieces.at(-1);
    if (last && last.length + bytes.length <= pieceBytes) {
      this.#pieces[this.#pieces.length - 1] = Buffer.concat([last, bytes]);
    } else {
      this.#pieces.push(Buffer.from(bytes));
    }
    this.#end += bytes.length;
    this.forgetBefore(this.#end - this.#maxBytes);
  }

  /** So many bytes went by that nobody will ask for. There must be none that is kept. */
  pass(count: number): void {
    this.#end += count;
    this.#start = this.#end;
  }

  /** Copies the bytes from `position` on, as many as fit; gives their number. */
  copy(position: number, target: Buffer): number {
    let filled = 0;
    let at = this.#start;
    for (const piece of this.#pieces) {
      const from = position + filled - at;
      if (from < piece.length) filled += piece.copy(target, filled, from);
      if (filled === target.length) break;
      at += piece.length;
    }
    return filled;
  }

  forgetBefore(position: number): void {
    let whole = 0;
    for (; ; whole++) {
      const piece = this.#pieces[whole];
      if (piece === undefined || this.#start + piece.length > position) break;
      this.#start += piece.length;
    }
    if (whole > 0) this.#pieces = this.#pieces.slice(whole);
    const [first] = this.#pieces;
    if (first === undefined || position <= this.#start) return;
    this.#pieces[0] = first.subarray(position - this.#start);
    this.#start = position;
  }
}
