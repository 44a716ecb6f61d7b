/** Who waits for whom: of those with the same key one comes after the other, in the order in which they ask. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** `before` settles when it is this one's turn; undefined: at once. `end` must be called, also by who has not waited. */
  next(key: string): { before: Promise<void> | undefined; end: () => void } {
    const before = this.#last.get(key);
    let finish: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (finish = resolve));
    this.#last.set(key, mine);
    return {
      before,
      end: () => {
        // Who gives up while waiting must not let the next one past those before.
        if (before) void before.then(finish);
        else finish();
        if (this.#last.get(key) === mine)
          void mine.then(() => {
            this.#forget(key, mine);
          });
      },
    };
  }

  #forget(key: string, mine: Promise<void>): void {
    if (this.#last.get(key) === mine) this.#last.delete(key);
  }
}
