import { portEvent, type RawPort } from "../../native/port.ts";
import { openStream } from "../../native/streams.ts";

/** The reading end of what a command prints. Nothing is read unless somebody asks: the pipe then fills, and the command waits. */
export class OutputPipe {
  readonly #port: RawPort;
  #mayHaveMore = true;
  #ended = false;
  #onReadable = (): void => undefined;
  #onWritable = (): void => undefined;

  /** Owns the stream. */
  constructor(stream: number) {
    this.#port = openStream(stream, (mask) => {
      if ((mask & portEvent.writable) !== 0) this.#onWritable();
      if ((mask & ~portEvent.writable) === 0) return;
      this.#mayHaveMore = true;
      this.#onReadable();
    });
  }

  /** False when the last read found nothing and nothing has come since. */
  get mayHaveMore(): boolean {
    return this.#mayHaveMore && !this.#ended;
  }

  /** Nobody can write to it any more, or it was closed. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * `onReadable` is called when there may be more after a read that found nothing, and at the end. `onWritable`, of a
   * terminal, when it may take input again.
   */
  watch(onReadable: () => void, onWritable: () => void = () => undefined): void {
    this.#onReadable = onReadable;
    this.#onWritable = onWritable;
  }

  /** Makes the next read ask the kernel, whatever the last one found. */
  lookAgain(): void {
    this.#mayHaveMore = true;
  }

  /** Bytes read; 0 when there are none now, or at the end: see `ended`. */
  read(buffer: Uint8Array): number {
    if (this.#ended) return 0;
    let count: number;
    try {
      count = this.#port.read(buffer);
    } catch {
      count = -1; // EIO: a terminal whose last user has gone
    }
    // A short read may have the end behind it, which has no edge of its own.
    if (count <= 0) this.#mayHaveMore = false;
    if (count < 0) this.close();
    return Math.max(count, 0);
  }

  /** A terminal's other direction. */
  get port(): RawPort {
    return this.#port;
  }

  /** Idempotent. Whoever still writes to it gets SIGPIPE. */
  close(): void {
    this.#ended = true;
    this.#port.close();
  }
}
