import { maxStreamDataBytes } from "../../wire/stream-frame.ts";

/** As long as credit is for whole frames the agent need not cut any. */
const frameBytes = maxStreamDataBytes;

/**
 * What a window begins with, unless the caller says: enough for a guest on the same machine, and for lumps of credit that
 * cost an emulated guest little. 1,044,480 bytes.
 */
export const firstWindowBytes = 16 * frameBytes;

/** What it grows to, 4,177,920 bytes. More is not faster, and is memory. */
export const largestWindowBytes = 64 * frameBytes;

/** With less credit than this the agent stands still, as its next piece may be larger. */
const nothingBytes = 64 * 1024;

/**
 * How much may be on its way to this host, or wait here. It doubles each time that the reader waits for bytes and the
 * agent for credit: then the window is what holds both up. A reader that is slower than the guest never waits, so it
 * keeps the small one.
 */
export class Window {
  readonly #mostBytes: number;
  readonly #grant: (bytes: number) => void;
  #windowBytes: number;
  /** What the agent may still send. */
  #creditBytes: number;
  /** Used up, and not granted again yet. */
  #takenBytes = 0;

  /** The agent has credit for `windowBytes`, which stays as it is, or for firstWindowBytes; `grant` gives it more. */
  constructor(windowBytes: number | undefined, grant: (bytes: number) => void) {
    this.#windowBytes = windowBytes ?? firstWindowBytes;
    this.#mostBytes = windowBytes ?? largestWindowBytes;
    this.#creditBytes = this.#windowBytes;
    this.#grant = grant;
  }

  get bytes(): number {
    return this.#windowBytes;
  }

  /** Counts bytes that have come; false when there was no credit for them. */
  receive(bytes: number): boolean {
    this.#creditBytes -= bytes;
    return this.#creditBytes >= 0;
  }

  /** So many of them are used up. Grants in lumps: one message for a quarter of the window, not one for each piece. */
  take(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#takenBytes >= this.#windowBytes / 4) this.#grantTaken(0);
  }

  /** The reader has all that has come, and waits. */
  starved(): void {
    if (this.#creditBytes >= nothingBytes) return;
    const more = Math.min(this.#windowBytes, this.#mostBytes - this.#windowBytes);
    if (more > 0) this.#grantTaken(more);
  }

  #grantTaken(more: number): void {
    const whole = this.#takenBytes - (this.#takenBytes % frameBytes);
    const taken = this.#windowBytes < firstWindowBytes ? this.#takenBytes : whole;
    const bytes = taken + more;
    this.#windowBytes += more;
    this.#creditBytes += bytes;
    this.#takenBytes -= taken;
    this.#grant(bytes);
  }
}
