import { maxStreamDataBytes } from "../../wire/stream-frame.ts";

/** Joins small pieces: a frame for each header of a small file would be slow. Large ones go through as they are. */
export class Joiner {
  readonly #send: (data: Buffer) => Promise<void>;
  readonly #joined = Buffer.allocUnsafeSlow(maxStreamDataBytes);
  #joinedBytes = 0;

  /** `send` resolves when its data may be changed again. */
  constructor(send: (data: Buffer) => Promise<void>) {
    this.#send = send;
  }

  async add(piece: Buffer): Promise<void> {
    if (this.#joinedBytes + piece.length > this.#joined.length) await this.flush();
    if (piece.length > this.#joined.length / 2) {
      await this.flush();
      await this.#send(piece);
    } else {
      piece.copy(this.#joined, this.#joinedBytes);
      this.#joinedBytes += piece.length;
    }
  }

  /** Sends what is left. */
  async flush(): Promise<void> {
    const bytes = this.#joinedBytes;
    this.#joinedBytes = 0;
    if (bytes > 0) await this.#send(this.#joined.subarray(0, bytes));
  }
}
