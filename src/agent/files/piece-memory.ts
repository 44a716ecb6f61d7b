/** What known hosts send at a time, and what most pieces take. */
const pieceBytes = 64 * 1024;

/** As many as a host has under way when it is fast; what more of them had is left to the garbage collector. */
const mostFree = 8;

/** Memory for pieces that are on their way to a file, used again and again: fresh memory costs more than to write it. */
export class PieceMemory {
  #free: Buffer[] = [];

  /** Copies `bytes`; to be given back when nobody reads the copy any more. */
  copyOf(bytes: Uint8Array): Buffer {
    if (bytes.length > pieceBytes || bytes.length === 0) return Buffer.from(bytes);
    const memory = this.#free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
    memory.set(bytes);
    return memory.subarray(0, bytes.length);
  }

  giveBack({ buffer }: Buffer): void {
    if (buffer.byteLength === pieceBytes && this.#free.length < mostFree)
      this.#free.push(Buffer.from(buffer));
  }
}
