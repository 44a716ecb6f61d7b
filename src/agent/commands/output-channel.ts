import { encodeFrame } from "../../wire/envelope.ts";
import type { Framing } from "../../wire/frame.ts";
import { frameStreamData, maxStreamDataBytes, streamDataHeadBytes } from "../../wire/stream-frame.ts";
import { OutputHistory } from "./output-history.ts";
import type { OutputPipe } from "./output-pipe.ts";

/**
 * What is still taken of a command's outputs when children of it have held them for too long: more than a pipe holds,
 * so nothing that the command itself has printed is lost.
 */
export const afterDrainBytes = 1024 * 1024;

interface ChannelOptions {
  /** "keep": what was read is remembered. "kill": only until the host has been sent it. */
  onDisconnect: "kill" | "keep";
  /** How much is remembered: the newest of it. */
  keepBytes: number;
}

/** One of a live command's outputs: what was read of it, what the host has been sent, and what it has room for. */
export class OutputChannel {
  /** 1 or 2. */
  readonly number: number;
  readonly pipe: OutputPipe;
  readonly #streamId: string;
  readonly #keeps: boolean;
  readonly #history: OutputHistory;
  /** How much of the channel the host has been sent. */
  #sentBytes = 0;
  /** Bytes that the host has room for. */
  #credit = 0;
  #endSent = false;
  /** Shared with the command's other output. */
  #drain: { leftBytes: number } | undefined;

  constructor(
    streamId: string,
    number: number,
    pipe: OutputPipe,
    { onDisconnect, keepBytes }: ChannelOptions,
  ) {
    this.number = number;
    this.pipe = pipe;
    this.#streamId = streamId;
    this.#keeps = onDisconnect === "keep";
    this.#history = new OutputHistory(keepBytes);
  }

  /** The host knows that there is no more. */
  get endSent(): boolean {
    return this.#endSent;
  }

  /**
   * A host takes it over that has had so many bytes and has room for so many. Gives the number of bytes that it has not
   * had and that are no longer kept.
   */
  attach(receivedBytes: number, windowBytes: number): number {
    const received = Math.min(receivedBytes, this.#history.end);
    this.#credit = windowBytes;
    this.#endSent = false;
    this.#sentBytes = Math.max(received, this.#history.start);
    return this.#sentBytes - received;
  }

  addCredit(bytes: number): void {
    this.#credit = Math.min(this.#credit + bytes, Number.MAX_SAFE_INTEGER);
  }

  /** The command has ended a while ago: what it left is taken, as far as `drain` allows, and then the output is closed. */
  drain(drain: { leftBytes: number }): void {
    this.#drain = drain;
    this.pipe.lookAgain();
  }

  /** What there is for the host and what it has room for, or the end; undefined when there is nothing now. */
  nextFrame(framing: Framing, scratch: Buffer): Buffer | undefined {
    if (this.#endSent) return undefined;
    const room = Math.min(this.#credit, maxStreamDataBytes);
    if (room > 0) {
      const count = this.#fill(scratch.subarray(streamDataHeadBytes, streamDataHeadBytes + room));
      this.#credit -= count;
      const head = { streamId: this.#streamId, channel: this.number, end: false };
      if (count > 0) return frameStreamData(framing, head, scratch, count);
    } else {
      this.#lookAhead();
    }
    if (!this.pipe.ended || this.#sentBytes < this.#history.end) return undefined;
    this.#endSent = true;
    return encodeFrame(framing, {
      messageId: this.#streamId,
      streamData: { streamId: this.#streamId, channel: this.number, end: true },
    });
  }

  /** Reads for nobody: once, into `buffer`. */
  keep(buffer: Buffer): void {
    const count = this.#read(buffer);
    if (count > 0) this.#history.push(buffer.subarray(0, count));
  }

  /** The next bytes; 0 when there are none now. */
  #fill(target: Buffer): number {
    let count = 0;
    if (this.#sentBytes < this.#history.end) {
      count = this.#history.copy(this.#sentBytes, target);
    } else if (this.pipe.mayHaveMore) {
      count = this.#read(target);
      if (this.#keeps) this.#history.push(target.subarray(0, count));
      else this.#history.pass(count);
    }
    this.#sentBytes += count;
    if (!this.#keeps) this.#history.forgetBefore(this.#sentBytes);
    return count;
  }

  /** A host without room must still learn of the end: one byte is read to find out whether it has come. */
  #lookAhead(): void {
    if (this.#sentBytes < this.#history.end || !this.pipe.mayHaveMore) return;
    this.keep(Buffer.alloc(1));
  }

  /** Children that outlive the command may go on printing; they are not listened to for ever. */
  #read(target: Buffer): number {
    const count = this.pipe.read(target);
    if (this.#drain === undefined) return count;
    this.#drain.leftBytes -= count;
    if (count === 0 || this.#drain.leftBytes <= 0) this.pipe.close();
    return count;
  }
}
