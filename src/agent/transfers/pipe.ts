import { type Deferred, deferred } from "./deferred.ts";

/** Buffers from one who writes to one who reads, one at a time: a write is done when its buffer has been taken. */
export class Pipe implements AsyncIterable<Buffer> {
  #waiting: { buffer: Buffer; taken: Deferred } | undefined;
  #reader: Deferred | undefined;
  /** Nobody reads any more; with what the reader failed of. */
  #stopped: { error: Error | undefined } | undefined;
  #ended = false;

  /** One at a time. Resolves when it is taken, or is of no interest; rejects with what the reader failed of. */
  async write(buffer: Buffer): Promise<void> {
    this.#throwIfFailed();
    if (this.#stopped) return;
    const taken = deferred();
    this.#waiting = { buffer, taken };
    this.#reader?.resolve();
    await taken.promise;
    this.#throwIfFailed();
  }

  /** There is no more. */
  end(): void {
    this.#ended = true;
    this.#reader?.resolve();
  }

  /** Nobody reads any more. */
  stop(error?: Error): void {
    this.#stopped ??= { error };
    this.#waiting?.taken.resolve();
    this.#waiting = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    for (;;) {
      const waiting = this.#waiting;
      if (waiting) {
        this.#waiting = undefined;
        try {
          yield waiting.buffer;
        } finally {
          waiting.taken.resolve(); // the reader wants the next, or no more
        }
      } else if (this.#ended) {
        return;
      } else {
        this.#reader = deferred();
        await this.#reader.promise;
      }
    }
  }

  #throwIfFailed(): void {
    if (this.#stopped?.error) throw this.#stopped.error;
  }
}
