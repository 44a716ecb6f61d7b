import { maxStreamDataBytes, streamDataHeadBytes } from "../../wire/stream-frame.ts";
import { deferred } from "../waiting.ts";

/** More than a socket takes before it is congested: who sends waits for that, which ends with the transfer, and not for these. */
const mostFrames = 8;

/** Sends as Outgoing.sendInPlace(). */
type Send = (buffer: Buffer, dataBytes: number, taken: () => void) => Promise<void>;

/** Joins small pieces: a frame for each header of a small file would be slow. */
export class Joiner {
  readonly #send: Send;
  readonly #free: Buffer[] = [];
  #made = 0;
  #freed = deferred<undefined>();
  /** Data from streamDataHeadBytes. */
  #frame: Buffer | undefined;
  #filledBytes = 0;

  constructor(send: Send) {
    this.#send = send;
  }

  /** `piece` may be changed when it resolves. Rejects with why the transfer has ended. */
  async add(piece: Buffer): Promise<void> {
    for (let from = 0; from < piece.length;) {
      const frame = (this.#frame ??= await this.#takeFrame());
      const count = Math.min(piece.length - from, maxStreamDataBytes - this.#filledBytes);
      piece.copy(frame, streamDataHeadBytes + this.#filledBytes, from, from + count);
      from += count;
      this.#filledBytes += count;
      if (this.#filledBytes === maxStreamDataBytes) await this.flush();
    }
  }

  /** Sends what is left. */
  async flush(): Promise<void> {
    const frame = this.#frame;
    if (frame === undefined) return;
    const bytes = this.#filledBytes;
    this.#frame = undefined;
    this.#filledBytes = 0;
    await this.#send(frame, bytes, () => {
      this.#free.push(frame);
      this.#freed.resolve(undefined);
    });
  }

  async #takeFrame(): Promise<Buffer> {
    for (;;) {
      const frame = this.#free.pop() ?? (this.#made < mostFrames ? this.#newFrame() : undefined);
      if (frame) return frame;
      await this.#freed.promise;
      this.#freed = deferred();
    }
  }

  #newFrame(): Buffer {
    this.#made++;
    return Buffer.allocUnsafeSlow(streamDataHeadBytes + maxStreamDataBytes);
  }
}
