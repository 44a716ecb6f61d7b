import { Writable } from "node:stream";
import type { Session } from "../session.ts";

/** agent.proto, StreamData.data. */
const maxPieceBytes = 64 * 1024;

type Callback = (error?: Error | null) => void;

/**
 * Standard input of a command. Sends no more than the command has credit for, and nothing while the socket is full; a
 * write is done when all of it was sent. Once the command takes no more, writing fails with EPIPE.
 */
export class Input extends Writable {
  readonly #session: Session;
  readonly #execId: string;
  #creditBytes: number;
  /** What is left of the write under way, and whom to tell when it is sent. */
  #rest: Buffer = Buffer.alloc(0);
  #done: Callback | undefined;
  #waitsForSocket = false;
  #endSent = false;
  #closed = false;

  constructor(session: Session, execId: string, creditBytes: number) {
    super({ highWaterMark: maxPieceBytes });
    this.#session = session;
    this.#execId = execId;
    this.#creditBytes = creditBytes;
  }

  /** The command has room for so many more bytes. */
  grant(bytes: number): void {
    this.#creditBytes = Math.min(this.#creditBytes + bytes, Number.MAX_SAFE_INTEGER);
    this.#pump();
  }

  /** The command takes no more: it has ended, or closed its end. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#done) this.#settle(brokenPipe());
    else this.destroy();
  }

  fail(error: Error): void {
    this.#closed = true;
    this.destroy(error);
  }

  /** As Writable's, but for what is written behind the command's end: Node would not say EPIPE. */
  override write(chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    const done = typeof encoding === "function" ? encoding : callback;
    if (this.#closed && !this.writableEnded) {
      process.nextTick(() => done?.(brokenPipe()));
      return false;
    }
    return typeof encoding === "string" ? super.write(chunk, encoding, done) : super.write(chunk, done);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#rest = chunk;
    this.#done = callback;
    this.#pump();
  }

  override _final(callback: Callback): void {
    this.#sendEnd();
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#settle(error ?? brokenPipe());
    this.#sendEnd(); // as closing a pipe tells its reader
    callback(error);
  }

  #pump(): void {
    while (this.#rest.length > 0) {
      const count = Math.min(this.#creditBytes, this.#rest.length, maxPieceBytes);
      if (count === 0 || this.#socketIsFull()) return;
      const data = this.#rest.subarray(0, count);
      this.#rest = this.#rest.subarray(count);
      this.#creditBytes -= count;
      this.#send(data, false);
    }
    this.#settle();
  }

  /** Comes back to #pump() when it is not. */
  #socketIsFull(): boolean {
    if (this.#waitsForSocket) return true;
    if (!this.#session.congested) return false;
    this.#waitsForSocket = true;
    this.#session.whenRelieved(() => {
      this.#waitsForSocket = false;
      this.#pump();
    });
    return true;
  }

  #sendEnd(): void {
    if (this.#closed || this.#endSent) return;
    this.#endSent = true;
    this.#send(Buffer.alloc(0), true);
  }

  /** The one place where input is framed, and copied for it. */
  #send(data: Buffer, end: boolean): void {
    this.#session.send({ streamData: { streamId: this.#execId, channel: 0, data, end } });
  }

  #settle(error?: Error): void {
    const done = this.#done;
    this.#done = undefined;
    this.#rest = Buffer.alloc(0);
    done?.(error);
  }
}

/** Of the shape that Node gives a pipe's. */
function brokenPipe(): NodeJS.ErrnoException {
  return Object.assign(new Error("write EPIPE"), { errno: -32, code: "EPIPE", syscall: "write" });
}
