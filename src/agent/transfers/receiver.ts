import { CodedError } from "../../wire/errors.ts";
import { fileError } from "../files/file-error.ts";
import type { Stream, Streams } from "../session/streams.ts";
import { WriteQueue } from "./write-queue.ts";

/** Where the bytes of a stream go. */
export interface ByteSink<Result> {
  /** The path that the host gave, for the audit. */
  readonly target: string;
  /** What is being done, for errors: "write /x". */
  readonly doing: string;
  /** Bytes that it has from an earlier stream. */
  readonly receivedBytes: number;
  /**
   * Resolves when it has them; their memory is used again then. One call at a time. Has a deadline, or ends at close().
   */
  write(pieces: readonly Buffer[]): Promise<void>;
  /** There is no more: puts all in its place. Ends early, and undone, at close(). */
  commit(sha256: Buffer): Promise<Result>;
  /**
   * Lets go of all; at any time, once. "failed": nothing stays. "given-up": what can be gone on with stays. After a
   * commit nothing is left to do.
   */
  close(why: "done" | "failed" | "given-up"): Promise<void>;
}

/** What a host may send before it is written. */
export const receiveWindowBytes = 2 * 1024 * 1024;

/** Takes what a host sends on channel 0 of a stream, never more than the window, and gives it to a sink. */
export class Receiver<Result> implements Stream {
  readonly id: string;
  readonly #streams: Streams;
  readonly #sink: ByteSink<Result>;
  readonly #onEnd: (error: CodedError | undefined) => void;
  readonly #leaveSession: () => void;
  readonly #queue = new WriteQueue();
  /** What the host may still send. */
  #allowedBytes = receiveWindowBytes;
  #receivedBytes: number;
  #writing: Promise<void> | undefined;
  #committing = false;
  #closed: Promise<void> | undefined;
  #error: CodedError | undefined;

  /**
   * A cancel for `messageId` ends it. `onEnd` is told when it is over, with the error unless it was committed; all that
   * it held has been let go of then.
   */
  constructor(
    id: string,
    streams: Streams,
    messageId: string,
    sink: ByteSink<Result>,
    onEnd: (error: CodedError | undefined) => void,
  ) {
    this.id = id;
    this.#streams = streams;
    this.#sink = sink;
    this.#receivedBytes = sink.receivedBytes;
    this.#onEnd = onEnd;
    const ended = (): void => {
      void this.leave(new CodedError("connectionLost", "the host went away"));
    };
    this.#leaveSession = streams.open(id, this, {
      messageId,
      cancelled: () => {
        this.#fail(new CodedError("cancelled", "the host gave the transfer up"), "given-up");
      },
      ended,
    });
    if (streams.signal.aborted) ended();
  }

  get target(): string {
    return this.#sink.target;
  }

  data(channel: number, bytes: Uint8Array): void {
    if (channel !== 0 || this.#closed) return;
    if (bytes.length > this.#allowedBytes || this.#committing) {
      const why = this.#committing ? "after the commit" : "for which it had no credit";
      this.#fail(new CodedError("invalidMessage", `the host sent ${bytes.length} bytes ${why}`), "failed");
      return;
    }
    this.#allowedBytes -= bytes.length;
    this.#receivedBytes += bytes.length;
    this.#queue.push(bytes);
    this.#writing ??= this.#write();
  }

  credit(): void {
    // Nothing is sent to a host that uploads.
  }

  nextFrame(): undefined {
    return undefined;
  }

  /** All is sent. Rejects with a CodedError, and then nothing has changed. */
  async commit(totalBytes: number, sha256: Buffer): Promise<Result> {
    this.#committing = true;
    await this.#writing;
    this.#throwIfOver();
    try {
      if (totalBytes !== this.#receivedBytes) {
        throw new CodedError(
          "checksum",
          `cannot ${this.#sink.doing}: ${this.#receivedBytes} bytes have come, not ${totalBytes}`,
        );
      }
      const result = await this.#sink.commit(sha256);
      await this.#close("done", undefined);
      return result;
    } catch (error) {
      this.#throwIfOver();
      const told = fileError(error, this.#sink.doing);
      await this.#close("failed", told);
      throw told;
    }
  }

  /** Somebody else goes on with it, or nobody: resolves when all has been let go of. */
  leave(error: CodedError): Promise<void> {
    return this.#close("given-up", error);
  }

  async #write(): Promise<void> {
    try {
      for (let pieces = this.#queue.take(); pieces.length > 0 && !this.#closed; pieces = this.#queue.take()) {
        const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
        await this.#sink.write(pieces);
        this.#queue.giveBack(pieces);
        this.#allowedBytes += bytes;
        if (this.#committing || this.#isClosed()) continue;
        this.#streams.send({ streamCredit: { streamId: this.id, channel: 0, bytes } });
      }
    } catch (error) {
      this.#fail(fileError(error, this.#sink.doing), "failed");
    } finally {
      this.#writing = undefined;
    }
  }

  #fail(error: CodedError, why: "failed" | "given-up"): void {
    if (this.#closed) return;
    const { id } = this;
    void this.#close(why, error).then(() => {
      this.#streams.send({ transferEnded: { streamId: id, error: error.wireText } });
    });
  }

  #throwIfOver(): void {
    if (this.#error) throw this.#error;
  }

  #isClosed(): boolean {
    return this.#closed !== undefined;
  }

  #close(why: "done" | "failed" | "given-up", error: CodedError | undefined): Promise<void> {
    this.#error ??= error;
    return (this.#closed ??= (async () => {
      this.#leaveSession();
      await this.#sink.close(why);
      this.#onEnd(error);
    })());
  }
}
