const empty = Buffer.alloc(0);

/**
 * Bytes that arrive in pieces. A first piece is kept as it is; later ones are copied behind it into memory that
 * grows with what has arrived, so a million one-byte pieces cost no more than one of a million bytes.
 */
export class ByteBuffer {
  #memory: Buffer = empty;
  #used = 0;
  #owned = false;

  get length(): number {
    return this.#used;
  }

  /** What is there, without copying. Valid until the next call. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#used);
  }

  append(piece: Buffer): void {
    if (this.#used === 0) {
      this.#memory = piece;
      this.#owned = false;
    } else {
      const needed = this.#used + piece.length;
      if (!this.#owned || needed > this.#memory.length) {
        const larger = Buffer.allocUnsafe(Math.max(2 * this.#used, needed));
        this.#memory.copy(larger, 0, 0, this.#used);
        this.#memory = larger;
        this.#owned = true;
      }
      piece.copy(this.#memory, this.#used);
    }
    this.#used += piece.length;
  }

  /** Drops the first `count` bytes. What was given out by `bytes` stays as it is. */
  consume(count: number): void {
    const rest = this.bytes.subarray(count);
    // A short rest must not keep a whole large frame alive.
    this.#memory = rest.length * 2 < this.#memory.length ? Buffer.from(rest) : rest;
    this.#used = rest.length;
    this.#owned = false;
  }
}
