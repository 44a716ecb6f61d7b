import type { RawPort } from "../../native/port.ts";
import { commandSystem } from "../platform/commands.ts";

/** What a host may send before the command has read any of it. */
export const inputWindowBytes = 256 * 1024;

/** What a terminal takes for the end of its input. A piece that nothing is joined to. */
const endOfTransmission = commandSystem.endOfInput;

/** Small pieces are joined up to this: all that wait are offered to the command each time. */
const pieceBytes = 4096;

export interface CommandInputEvents {
  /** The command has taken so much; the host may send that much more. */
  taken(bytes: number): void;
  /** The command reads no more: what comes is thrown away. */
  closed(): void;
}

/** Standard input of a live command: takes what the host sends, never more than the window, and gives it to the command. */
export class CommandInput {
  readonly #port: RawPort;
  readonly #kind: "pipe" | "terminal";
  readonly #events: CommandInputEvents;
  #queue: Buffer[] = [];
  #allowedBytes = inputWindowBytes;
  #takenBytes = 0;
  #ending = false;
  #closed = false;

  /** A pipe's port is closed here; a terminal's is its output's too, and is not. */
  constructor(kind: "pipe" | "terminal", port: RawPort, events: CommandInputEvents) {
    this.#kind = kind;
    this.#port = port;
    this.#events = events;
  }

  /** What a host that attaches may send. */
  get allowedBytes(): number {
    return this.#allowedBytes;
  }

  /** Never throws. A host that sends more than it may loses its input. */
  data(bytes: Uint8Array, end: boolean): void {
    if (bytes.length > this.#allowedBytes) {
      this.#break();
      return;
    }
    this.#allowedBytes -= bytes.length;
    if (this.#closed || this.#ending) {
      this.#taken(bytes.length);
      return;
    }
    if (bytes.length > 0) this.#push(bytes);
    if (end && this.#kind === "pipe") this.#ending = true;
    // An end after an end says nothing new, and counts for no bytes.
    else if (end && this.#queue.at(-1) !== endOfTransmission) this.#queue.push(endOfTransmission);
    this.writable();
  }

  /** Copies: a piece must not keep a whole chunk of the port alive. */
  #push(bytes: Uint8Array): void {
    const last = this.#queue.at(-1);
    if (last === undefined || last === endOfTransmission || last.length + bytes.length > pieceBytes) {
      this.#queue.push(Buffer.from(bytes));
    } else {
      this.#queue[this.#queue.length - 1] = Buffer.concat([last, bytes]);
    }
  }

  /** To be called when the command may take bytes again. */
  writable(): void {
    if (this.#closed) return;
    try {
      while (this.#queue.length > 0) {
        const taken = this.#port.write(this.#queue);
        if (taken === 0) break;
        this.#advance(taken);
      }
    } catch {
      this.#break(); // EPIPE: the command has closed it, or ended
      return;
    }
    if (this.#ending && this.#queue.length === 0) this.close();
  }

  /** The command reads no more. */
  readerGone(): void {
    this.#break();
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const left = this.#queue.reduce((bytes, piece) => bytes + piece.length, 0);
    this.#queue = [];
    if (this.#kind === "pipe") this.#port.close();
    this.#taken(left);
  }

  #break(): void {
    if (this.#closed) return;
    this.close();
    this.#events.closed();
  }

  #advance(taken: number): void {
    let left = taken;
    while (left > 0) {
      const [first] = this.#queue;
      if (first === undefined) break;
      if (first.length > left) {
        this.#queue[0] = first.subarray(left);
        break;
      }
      left -= first.length;
      this.#queue.shift();
    }
    this.#taken(taken);
  }

  /** Told in lumps: a credit for each keystroke's byte is worth it only when nothing else waits. */
  #taken(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#takenBytes === 0) return;
    if (this.#takenBytes < inputWindowBytes / 4 && this.#queue.length > 0) return;
    const credit = this.#takenBytes;
    this.#takenBytes = 0;
    this.#allowedBytes = Math.min(this.#allowedBytes + credit, inputWindowBytes);
    this.#events.taken(credit);
  }
}
