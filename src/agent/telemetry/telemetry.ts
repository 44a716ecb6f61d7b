import os from "node:os";
import type { Sample, Sampler } from "../../native/sampler.ts";
import type { Envelope } from "../../wire/envelope.ts";
import { type Log, LogLimiter } from "../log.ts";
import { toReport } from "./report.ts";

export type Report = NonNullable<Envelope["telemetry"]>;

interface Subscription {
  /** Whether this host knows the extension fields. */
  extended: boolean;
  send: (report: Report) => void;
}

/** Changes that come together, such as an interface and its addresses, make one report. */
const changeSettleMs = 50;

/** What a report waits for a mount that does not answer; it is told as unreachable then, and not waited for again. */
const mountDeadlineMs = 250;

interface TelemetryOptions {
  intervalSeconds: number;
  /** Patterns of interface names that are left out; `*` stands for any characters. */
  excludeInterfaces: readonly string[];
}

/**
 * Samples the guest while a host listens: at once, at each interval, and when an address or a link changes.
 * Without a host there is no timer and no sample.
 */
export class Telemetry {
  readonly #openSampler: () => Sampler;
  #options: TelemetryOptions;
  readonly #log: Log;
  readonly #trouble = new LogLimiter();
  #sampler: Sampler | undefined;
  #subscription: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;

  /** `openSampler` is called when the first host attaches. */
  constructor(openSampler: () => Sampler, options: TelemetryOptions, log: Log) {
    this.#openSampler = openSampler;
    this.#options = options;
    this.#log = log;
  }

  /** Starts reports to the one host there is; gives the function that stops them. */
  subscribe(options: { extended: boolean }, send: (report: Report) => void): () => void {
    this.#stop();
    const subscription = (this.#subscription = { ...options, send });
    const report = (): void => {
      void this.#report(subscription);
    };
    this.#sampler ??= this.#open();
    this.#sampler?.watch(() => {
      this.#settle ??= setTimeout(() => {
        this.#settle = undefined;
        report();
      }, changeSettleMs);
    });
    this.#schedule(subscription);
    report();
    return () => {
      if (this.#subscription === subscription) this.#stop();
    };
  }

  /** From now on. A host that listens gets its next report an interval from now. */
  configure(options: TelemetryOptions): void {
    const isOther = options.intervalSeconds !== this.#options.intervalSeconds;
    this.#options = options;
    if (this.#subscription && isOther) this.#schedule(this.#subscription);
  }

  #schedule(subscription: Subscription): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      void this.#report(subscription);
    }, this.#options.intervalSeconds * 1000);
  }

  /** Gives back what the sampler holds. */
  close(): void {
    this.#stop();
    this.#sampler?.close();
    this.#sampler = undefined;
  }

  /** Without a sampler a host has all but the reports. */
  #open(): Sampler | undefined {
    try {
      return this.#openSampler();
    } catch (error) {
      this.#tell(error);
      return undefined;
    }
  }

  #stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#settle);
    this.#settle = undefined;
    this.#subscription = undefined;
    this.#sampler?.unwatch();
  }

  async #report(subscription: Subscription): Promise<void> {
    try {
      const sample = await this.#take();
      if (this.#subscription !== subscription || sample === undefined) return;
      subscription.send(
        toReport(sample, {
          extended: subscription.extended,
          excludeInterfaces: this.#options.excludeInterfaces,
          hostname: os.hostname(),
        }),
      );
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    const admitted = this.#trouble.admit();
    if (admitted)
      this.#log.error({ err: error, code: "QXGA-9007", ...admitted }, "no telemetry could be taken");
  }

  async #take(): Promise<Sample | undefined> {
    return this.#sampler?.sample(mountDeadlineMs);
  }
}
