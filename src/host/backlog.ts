import { ByteBuffer } from "./byte-buffer.ts";

/** Pieces smaller than this are joined: an object for each byte would cost a hundred times the byte. */
const smallestPieceBytes = 4 * 1024;

/** A piece may keep this many times its own size alive: the frame, or what was read from the socket with it. */
const mostKeptAlive = 4;

/** Joined pieces grow to this before another is begun. */
const joinedBytes = 64 * 1024;

/**
 * Bytes that have come and wait for their reader, in order. Pieces of usual size are not copied. Whatever sizes the other side
 * chooses, this takes no more memory than a few times its bytes.
 */
export class Backlog {
  #pieces: (Buffer | ByteBuffer)[] = [];

  push(piece: Buffer): void {
    if (piece.length >= smallestPieceBytes && piece.length * mostKeptAlive >= piece.buffer.byteLength) {
      this.#pieces.push(piece);
      return;
    }
    const last = this.#pieces.at(-1);
    if (last instanceof ByteBuffer && last.length < joinedBytes) {
      last.append(piece);
    } else {
      const joined = new ByteBuffer();
      joined.append(Buffer.from(piece)); // a copy, for the same reason
      this.#pieces.push(joined);
    }
  }

  shift(): Buffer | undefined {
    const first = this.#pieces.shift();
    return first instanceof ByteBuffer ? first.bytes : first;
  }

  /** Pieces of so many bytes together, and not much more. */
  take(mostBytes: number): Buffer[] {
    const taken: Buffer[] = [];
    for (let bytes = 0; bytes < mostBytes;) {
      const piece = this.shift();
      if (piece === undefined) break;
      taken.push(piece);
      bytes += piece.length;
    }
    return taken;
  }

  /** Drops all; gives how many bytes it was. */
  clear(): number {
    const bytes = this.#pieces.reduce((sum, { length }) => sum + length, 0);
    this.#pieces = [];
    return bytes;
  }
}
