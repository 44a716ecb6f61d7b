import { Readable } from "node:stream";
import { Backlog } from "../backlog.ts";

/**
 * One output of a command. What comes waits here until it is read, and the agent is given credit again only then: a slow
 * reader stops the command, and at most the window is held. Destroyed by its reader, it throws away what still comes,
 * so that the command can end.
 */
export class Output extends Readable {
  readonly #windowBytes: number;
  readonly #grant: (bytes: number) => void;
  readonly #backlog = new Backlog();
  /** What the agent may still send. */
  #creditBytes: number;
  /** Given to the reader by the last push. */
  #handedOutBytes = 0;
  /** Taken by the reader, and not granted again yet. */
  #takenBytes = 0;
  #wanted = false;
  #ended = false;

  /** The agent has credit for `windowBytes` already; `grant` gives it more. */
  constructor(windowBytes: number, grant: (bytes: number) => void) {
    // Each _read then says that all that was pushed before has been taken.
    super({ highWaterMark: 1 });
    this.#windowBytes = windowBytes;
    this.#creditBytes = windowBytes;
    this.#grant = grant;
  }

  /** Whether the agent may send so many bytes. */
  admits(bytes: number): boolean {
    return bytes === 0 || (!this.#ended && bytes <= this.#creditBytes);
  }

  /** Takes bytes that it admits. */
  receive(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#creditBytes -= bytes.length;
    if (this.destroyed) {
      this.#handedOutBytes += bytes.length;
      this.#acknowledge();
    } else {
      this.#backlog.push(bytes);
      this.#flow();
    }
  }

  /** Nothing more comes. What has come can still be read. Idempotent. */
  finish(): void {
    this.#ended = true;
    this.#flow();
  }

  /** Nothing more comes, and what has come is dropped. */
  fail(error: Error): void {
    this.#ended = true;
    this.destroy(error);
  }

  override _read(): void {
    this.#acknowledge();
    this.#wanted = true;
    this.#flow();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#handedOutBytes += this.#backlog.clear();
    this.#acknowledge();
    callback(error);
  }

  #flow(): void {
    if (!this.#wanted || this.destroyed) return;
    const piece = this.#backlog.shift();
    if (piece !== undefined) {
      this.#wanted = false;
      this.#handedOutBytes = piece.length;
      this.push(piece);
    } else if (this.#ended) {
      this.#wanted = false;
      this.push(null);
    }
  }

  /** Grants in lumps: one message for half of the window, not one for each piece. */
  #acknowledge(): void {
    this.#takenBytes += this.#handedOutBytes;
    this.#handedOutBytes = 0;
    if (this.#ended || this.#takenBytes === 0 || this.#takenBytes < this.#windowBytes / 2) return;
    const bytes = this.#takenBytes;
    this.#takenBytes = 0;
    this.#creditBytes += bytes;
    this.#grant(bytes);
  }
}
