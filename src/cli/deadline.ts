/**
 * A signal that is aborted as another one is, or after so many seconds. Node 20 may collect an AbortSignal.timeout() that
 * only AbortSignal.any() refers to, and then it never fires; this one does.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #other: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  #passed = false;

  constructor(seconds: number, other: AbortSignal) {
    this.#other = other;
    this.#timer = setTimeout(() => {
      this.#passed = !this.signal.aborted;
      this.#controller.abort(new Error(`more than ${seconds} s`));
    }, seconds * 1000);
    other.addEventListener("abort", this.#follow, { once: true });
    if (other.aborted) this.#follow();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** It was the time that aborted it. */
  get passed(): boolean {
    return this.#passed;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#other.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => {
    this.#controller.abort(this.#other.reason);
  };
}
