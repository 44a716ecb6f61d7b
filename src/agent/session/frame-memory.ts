/** A frame with 64 KiB of a file, as known hosts ask for, and all else that it carries. No other memory has this size. */
const frameBytes = 66 * 1024;

/** As many answers as are on their way when the port takes them; with more the garbage collector has the rest. */
const mostSpare = 4;

/**
 * Memory for large answers, used again and again: fresh memory has to be faulted in page by page, and the pages of what was
 * collected go back to the system whenever there is a pause.
 */
export class FrameMemory {
  readonly #spare: Buffer[] = [];

  /** Has `bytes` or more. */
  readonly lend = (bytes: number): Buffer =>
    (bytes <= frameBytes ? this.#spare.pop() : undefined) ??
    Buffer.allocUnsafeSlow(Math.max(bytes, frameBytes));

  /** Nobody reads the frame any more. Nothing happens with one that is not in such memory. */
  giveBack({ buffer }: Buffer): void {
    if (buffer.byteLength === frameBytes && this.#spare.length < mostSpare)
      this.#spare.push(Buffer.from(buffer));
  }
}
