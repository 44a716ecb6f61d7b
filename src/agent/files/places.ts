/**
 * Threads that libuv has for files, and for what else Node does in threads. One that a dead file server or disk holds up
 * is lost until that answers.
 */
export const poolThreads = 16;

/** Requests at a time that may hold up a thread each, of the brief and of the lasting kind. The rest is for all else. */
export const briefPlaces = 8;
export const lastingPlaces = 4;

/** Room for a few at a time; the others wait in the order in which they come. */
export class Places {
  #free: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with a place, or rejects with the reason of its signal without one; undefined: a place is taken at once. */
  take(waiter: { readonly signal: AbortSignal }): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    const { signal } = waiter;
    return new Promise((resolve, reject) => {
      const onTurn = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(onTurn);
        reject(signal.reason as Error);
      };
      this.#waiting.add(onTurn);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }

  giveBack(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next();
      return;
    }
    this.#free++;
  }
}
