/** Work that is done one after the other. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as `work` does, which begins when all before it has ended; with the reason of `signal` when that comes first. */
  async run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const mine = before.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#last = mine.catch(() => undefined);
    return await mine;
  }

  /** Resolves when all that was asked for until now has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
