/** What happened longer ago does not count. */
const windowMs = 5000;
/** A shorter time says nothing yet. */
const shortestMs = 200;

/** How fast a number grows, on the average of the last seconds. */
export class Rate {
  readonly #samples: { atMs: number; count: number }[] = [];

  /** `atMs` is by a clock that only goes forward. */
  add(count: number, atMs: number): void {
    this.#samples.push({ atMs, count });
    // One that is older stays: from it the window is measured.
    while ((this.#samples[1]?.atMs ?? Infinity) <= atMs - windowMs) this.#samples.shift();
  }

  /** Undefined as long as too little is known. */
  perSecond(nowMs: number): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || nowMs - first.atMs < shortestMs) return undefined;
    return Math.max(0, ((last.count - first.count) / (nowMs - first.atMs)) * 1000);
  }
}
