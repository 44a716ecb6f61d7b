import { HostError } from "../errors.ts";
import { longestTimerMs } from "../waiting.ts";

/** Fires when one thing is waited for too long. */
export class StallTimer {
  readonly #seconds: number | undefined;
  readonly #what: string;
  readonly #stalled: (error: HostError) => void;
  #timer: NodeJS.Timeout | undefined;

  /** Never fires without `seconds`. `what` is what stands still: "reading /x". */
  constructor(seconds: number | undefined, what: string, stalled: (error: HostError) => void) {
    this.#seconds = seconds;
    this.#what = what;
    this.#stalled = stalled;
  }

  /** Waits for `coming`; has fired when that took too long, and goes on waiting. */
  async watch<T>(coming: Promise<T>): Promise<T> {
    this.#start();
    try {
      return await coming;
    } finally {
      clearTimeout(this.#timer);
    }
  }

  #start(): void {
    const seconds = this.#seconds;
    if (seconds === undefined || seconds * 1000 > longestTimerMs) return;
    this.#timer = setTimeout(() => {
      const text = `${this.#what} was given up: nothing has come from the agent for ${seconds} s; the VM may be paused`;
      this.#stalled(new HostError("timed-out", text));
    }, seconds * 1000);
  }
}
