import type { Framing } from "../../wire/frame.ts";
import { frameStreamData, maxStreamDataBytes, streamDataHeadBytes } from "../../wire/stream-frame.ts";

/** A ping never stands behind more of a transfer in our own hands. */
export const mostFramesInRun = 4;

interface Head {
  streamId: string;
  channel: number;
  end: boolean;
}

/**
 * Memory for a few frames of a stream in a row. Full frames of a stream have the same head, which stands before each part of
 * the data already: what is read into `targets` leaves in one piece, without another look at each frame.
 */
export class FrameRun {
  /** One after the other, maxStreamDataBytes each. */
  readonly targets: readonly Buffer[];
  readonly #framing: Framing;
  readonly #head: Head;
  readonly #fullHead: Buffer;
  readonly #memory: Buffer;
  #bytes = 0;
  #sentBytes = 0;
  /** Parts of the memory that the port has not taken. */
  #onTheirWay = 0;

  constructor(framing: Framing, head: Head, frames: number) {
    this.#framing = framing;
    this.#head = head;
    const room = Buffer.alloc(streamDataHeadBytes);
    this.#fullHead = Buffer.from(frameStreamData(framing, head, room, maxStreamDataBytes));
    this.#memory = Buffer.allocUnsafeSlow(streamDataHeadBytes + frames * this.#strideBytes);
    this.targets = Array.from({ length: frames }, (_, index) => {
      const start = this.#dataStart(index);
      this.#fullHead.copy(this.#memory, start - this.#fullHead.length);
      return this.#memory.subarray(start, start + maxStreamDataBytes);
    });
  }

  /** The targets have so many bytes now, the first of them first. */
  fill(bytes: number): void {
    this.#bytes = bytes;
    this.#sentBytes = 0;
  }

  get isSent(): boolean {
    return this.#sentBytes === this.#bytes;
  }

  /** All of it is sent, and nobody needs the memory. */
  get isFree(): boolean {
    return this.isSent && this.#onTheirWay === 0;
  }

  /** Whether a frame that next() gave is in this memory. */
  owns(frame: Buffer): boolean {
    return frame.buffer === this.#memory.buffer;
  }

  taken(): void {
    this.#onTheirWay--;
  }

  /** The next frames, of `most` bytes of data at the most; `used` is how many. A part of a frame is made in `scratch`. */
  next(framing: Framing, most: number, scratch: Buffer): { frames: Buffer; used: number } {
    const left = Math.min(most, this.#bytes - this.#sentBytes);
    const index = Math.floor(this.#sentBytes / maxStreamDataBytes);
    const from = this.#sentBytes % maxStreamDataBytes;
    const whole = from === 0 && framing === this.#framing ? Math.floor(left / maxStreamDataBytes) : 0;
    const used = whole > 0 ? whole * maxStreamDataBytes : Math.min(left, maxStreamDataBytes - from);
    this.#sentBytes += used;
    if (whole > 0) {
      this.#onTheirWay++;
      const start = this.#dataStart(index) - this.#fullHead.length;
      return { frames: this.#memory.subarray(start, start + whole * this.#strideBytes), used };
    }
    const start = this.#dataStart(index) + from;
    this.#memory.copy(scratch, streamDataHeadBytes, start, start + used);
    return { frames: frameStreamData(framing, this.#head, scratch, used), used };
  }

  get #strideBytes(): number {
    return this.#fullHead.length + maxStreamDataBytes;
  }

  #dataStart(index: number): number {
    return streamDataHeadBytes + index * this.#strideBytes;
  }
}
