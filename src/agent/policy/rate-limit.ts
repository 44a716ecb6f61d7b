/** At most `limit` in any `windowMs`. */
export class RateLimit {
  /** When each of the last `limit` was admitted, oldest first. */
  readonly #admitted: number[] = [];

  constructor(
    readonly limit: number,
    readonly windowMs: number,
  ) {}

  admit(): boolean {
    const now = performance.now();
    while (this.#admitted.length > 0 && now - (this.#admitted[0] ?? 0) >= this.windowMs)
      this.#admitted.shift();
    if (this.#admitted.length >= this.limit) return false;
    this.#admitted.push(now);
    return true;
  }
}
