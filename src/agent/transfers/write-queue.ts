/** Large enough that a system call costs little, small enough that a short file costs little. */
const blockBytes = 256 * 1024;

/** Bytes that wait to be written, copied into a few blocks of memory that are used again and again. */
export class WriteQueue {
  #blocks: Buffer[] = [];
  /** Of the last block. */
  #usedBytes = 0;
  #free: Buffer[] = [];

  push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      let block = this.#blocks.at(-1);
      if (block === undefined || this.#usedBytes === block.length) {
        block = this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
        this.#blocks.push(block);
        this.#usedBytes = 0;
      }
      const part = bytes.subarray(from, from + block.length - this.#usedBytes);
      block.set(part, this.#usedBytes);
      this.#usedBytes += part.length;
      from += part.length;
    }
  }

  /** All that wait, in order; to be given back when they are written. */
  take(): Buffer[] {
    const blocks = this.#blocks;
    const last = blocks.pop();
    if (last) blocks.push(last.subarray(0, this.#usedBytes));
    this.#blocks = [];
    return blocks;
  }

  giveBack(pieces: readonly Buffer[]): void {
    for (const { buffer } of pieces) this.#free.push(Buffer.from(buffer));
  }
}
