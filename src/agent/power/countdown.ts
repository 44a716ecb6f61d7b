/** Users are told again this long before, unless they have been told within the last minutes. */
const reminderSeconds = 60;

/** A timer does not count the time in which the guest sleeps, so it is looked again at least this often. */
const lookMs = 60_000;

export interface CountdownEvents {
  /** Once, a minute before, unless it began with less than two. */
  reminder(leftSeconds: number): void;
  /** Once, and last. */
  due(): void;
}

/** Waits until the guest has been up for so many seconds; a step of its clock changes nothing. */
export class Countdown {
  readonly #uptimeSeconds: () => number;
  readonly #dueAt: number;
  readonly #events: CountdownEvents;
  #reminded: boolean;
  #timer: NodeJS.Timeout | undefined;

  /** No event comes before this returns. */
  constructor(uptimeSeconds: () => number, dueAt: number, events: CountdownEvents) {
    this.#uptimeSeconds = uptimeSeconds;
    this.#dueAt = dueAt;
    this.#events = events;
    this.#reminded = dueAt - uptimeSeconds() < 2 * reminderSeconds;
    this.#wait();
  }

  /** Idempotent. No event comes afterwards. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    const leftSeconds = this.#dueAt - this.#uptimeSeconds();
    const untilSeconds = this.#reminded ? leftSeconds : leftSeconds - reminderSeconds;
    const ms = Math.min(Math.max(0, Math.ceil(untilSeconds * 1000)), lookMs);
    this.#timer = setTimeout(() => {
      this.#look();
    }, ms);
  }

  #look(): void {
    const leftSeconds = this.#dueAt - this.#uptimeSeconds();
    if (leftSeconds <= 0) {
      this.#events.due();
      return;
    }
    if (!this.#reminded && leftSeconds <= reminderSeconds) {
      this.#reminded = true;
      this.#events.reminder(leftSeconds);
    }
    this.#wait();
  }
}
