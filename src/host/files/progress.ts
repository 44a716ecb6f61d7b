import type { OnProgress } from "./options.ts";

const leastPauseMs = 50;

/** Tells how far a transfer is, not more often than can be looked at. */
export class ProgressTeller {
  readonly #tell: OnProgress | undefined;
  readonly #totalBytes: number | undefined;
  #bytes: number;
  #name: string | readonly string[] | undefined;
  #toldAt = -Infinity;

  constructor(tell: OnProgress | undefined, totalBytes: number | undefined, bytes = 0) {
    this.#tell = tell;
    this.#totalBytes = totalBytes;
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** It is at this file of a tree: its path, or the components of that. */
  at(name: string | readonly string[]): void {
    this.#name = name;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#tell && performance.now() - this.#toldAt >= leastPauseMs) this.#now();
  }

  /** All is done. */
  end(): void {
    this.#now();
  }

  #now(): void {
    this.#toldAt = performance.now();
    const name = this.#name;
    this.#tell?.({
      bytes: this.#bytes,
      totalBytes: this.#totalBytes,
      ...(name !== undefined && { name: typeof name === "string" ? name : name.join("/") }),
    });
  }
}
