/** Lets a few through at a time, in the order in which they come. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  #free: number;
  readonly #longestMs: number;

  /** A place that has not been given back after `longestMs` is given to the next all the same. */
  constructor(places: number, longestMs: number) {
    this.#free = places;
    this.#longestMs = longestMs;
  }

  /** Resolves to the function that gives the place back. */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      clearTimeout(timer);
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
    const timer = setTimeout(leave, this.#longestMs);
    return leave;
  }
}
