/** So many files are written at a time: more are not faster, as Node's pool has four threads. */
const mostUnderWay = 32;

/** Writes that are not waited for one by one, each of another file. */
export class UnderWay {
  readonly #writes = new Map<string, Promise<void>>();
  #failure: { error: unknown } | undefined;

  /** Whether this file is being written. */
  has(name: string): boolean {
    return this.#writes.has(name);
  }

  /** Begins when there is room. Rejects with what one of those before has failed with. */
  async start(name: string, write: () => Promise<void>): Promise<void> {
    for (const oldest of this.#writes.values()) {
      if (this.#writes.size < mostUnderWay) break;
      await oldest;
    }
    this.#throwFailure();
    const writing = write()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#writes.delete(name));
    this.#writes.set(name, writing);
  }

  /** Resolves when none is under way. Rejects with what the first has failed with. */
  async ended(): Promise<void> {
    if (this.#writes.size > 0) await Promise.all(this.#writes.values());
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
