import type { Writable } from "node:stream";

/**
 * Feeds standard input to a command, as fast as it takes it, and tells it the end. `read` says what of a chunk is for
 * the command. Not a pipeline: that would destroy standard input, and a terminal could not be restored then.
 */
export class Input {
  readonly #sink: Writable | null;
  readonly #read: (chunk: Buffer) => readonly Buffer[];

  /** Without a `sink` all that is read is for `read`. */
  constructor(sink: Writable | null, read: (chunk: Buffer) => readonly Buffer[] = (chunk) => [chunk]) {
    this.#sink = sink;
    this.#read = read;
    process.stdin.on("data", this.#feed);
    process.stdin.once("end", this.#end);
    process.stdin.on("error", this.#end); // a terminal that has gone
    sink?.on("drain", this.#resume);
    sink?.on("error", this.#stop); // the command takes no more
    sink?.on("close", this.#stop);
  }

  /** Idempotent. */
  close(): void {
    this.#stop();
  }

  readonly #feed = (chunk: Buffer): void => {
    let room = true;
    for (const bytes of this.#read(chunk)) room = this.#sink?.write(bytes) ?? true;
    if (!room) process.stdin.pause();
  };

  readonly #resume = (): void => {
    process.stdin.resume();
  };

  readonly #end = (): void => {
    this.#sink?.end();
  };

  readonly #stop = (): void => {
    process.stdin.off("data", this.#feed);
    process.stdin.off("end", this.#end);
    this.#sink?.off("drain", this.#resume);
    process.stdin.pause();
  };
}
