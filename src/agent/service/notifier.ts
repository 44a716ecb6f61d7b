import type { Log } from "../log.ts";

/** Between two messages: a host that comes and goes must not keep the service manager busy. */
const pauseMs = 1000;

/** A host that has just come is answered first. */
const delayMs = 50;

type Name = "READY" | "STATUS" | "STOPPING" | "WATCHDOG";

/**
 * Tells the service manager how the agent is doing, as sd_notify(3) does. What there is no room for is told a second later.
 * The watchdog is fed by a timer of the event loop, twice in its time, and so only while that turns.
 */
export class Notifier {
  readonly #send: (text: string) => boolean;
  readonly #watchdogMs: number | undefined;
  readonly #waiting = new Map<Name, string>();
  #pause: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #log: Pick<Log, "warn"> | undefined;
  #told = "";
  #hasFailed = false;

  /** `send` is false when there is no room, and throws when nobody listens. */
  constructor(send: (text: string) => boolean, watchdogMs: number | undefined) {
    this.#send = send;
    this.#watchdogMs = watchdogMs;
  }

  /** The agent runs: it waits for its host. */
  ready(log: Pick<Log, "warn">): void {
    this.#log = log;
    this.#waiting.set("READY", "1");
    this.#flush();
    if (this.#watchdogMs === undefined || this.#watchdog !== undefined) return;
    this.#watchdog = setInterval(() => {
      this.#waiting.set("WATCHDOG", "1");
      this.#flush();
    }, this.#watchdogMs / 2).unref();
  }

  /** A line for people. Only changes are told, and of those that come within a second the last one. */
  status(text: string): void {
    // A line of its own would be another message.
    const line = text.replace(/[\u0000-\u001f]/g, " ");
    if (line === this.#told) this.#waiting.delete("STATUS");
    else this.#waiting.set("STATUS", line);
    this.#flushIn(delayMs);
  }

  stopping(): void {
    this.#waiting.delete("STATUS");
    this.#waiting.set("STOPPING", "1");
    this.#flush();
  }

  #flush(): void {
    if (this.#waiting.size === 0) return;
    const status = this.#waiting.get("STATUS");
    if (this.#hasSent([...this.#waiting].map(([name, value]) => `${name}=${value}`).join("\n"))) {
      this.#waiting.clear();
      if (status === undefined) return;
      this.#told = status;
    }
    this.#flushIn(pauseMs);
  }

  #flushIn(ms: number): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#flush();
    }, ms).unref();
  }

  /** Or there is nobody to send it to. */
  #hasSent(text: string): boolean {
    try {
      return this.#send(text);
    } catch (error) {
      if (!this.#hasFailed)
        this.#log?.warn({ err: error }, "the service manager could not be told of the agent");
      this.#hasFailed = true;
      return true;
    }
  }
}
