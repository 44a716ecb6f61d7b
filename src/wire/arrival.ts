const empty = Buffer.alloc(0);

/** Memory of a large frame is not kept for the small ones that follow. */
const mostIdleBytes = 256 * 1024;

/** The bytes of a frame that is not complete: memory that grows with what has arrived, and is used again. */
export class Arrival {
  #memory: Buffer = empty;
  #used = 0;

  get length(): number {
    return this.#used;
  }

  /** What is there, without copying. Valid until the next call. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#used);
  }

  /** Where the next `bytes` are to be read, so that append() need not copy them. Valid until the next call. */
  room(bytes: number): Buffer {
    this.#reserve(this.#used + bytes);
    return this.#memory.subarray(this.#used, this.#used + bytes);
  }

  append(piece: Buffer): void {
    const needed = this.#used + piece.length;
    this.#reserve(needed);
    const isThere =
      piece.buffer === this.#memory.buffer && piece.byteOffset === this.#memory.byteOffset + this.#used;
    if (!isThere) piece.copy(this.#memory, this.#used);
    this.#used = needed;
  }

  #reserve(needed: number): void {
    if (needed <= this.#memory.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#used, needed));
    this.#memory.copy(larger, 0, 0, this.#used);
    this.#memory = larger;
  }

  /** Drops the first `count` bytes. With `isKept`, what was given out by `bytes` stays as it is. */
  consume(count: number, isKept: boolean): void {
    const rest = this.#used - count;
    const isTooLarge = this.#memory.length > mostIdleBytes && rest * 2 < this.#memory.length;
    if (isKept || isTooLarge) this.#memory = Buffer.from(this.#memory.subarray(count, this.#used));
    else this.#memory.copyWithin(0, count, this.#used);
    this.#used = rest;
  }
}
