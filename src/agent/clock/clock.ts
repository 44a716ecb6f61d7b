import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import { Queue } from "../queue.ts";
import { type ClockSystem, type Reading, type SourceName, timeSources } from "./system.ts";

/** Where the right time comes from: a host that says it, or one of the guest's own sources, or the best that it has. */
export type TimeOrigin =
  /** In microseconds since 1970, at `saidAt` of performance.now(). */
  { from: "host"; timeUs: number; saidAt: number } | { from: SourceName } | { from: "auto" };

export interface SyncOptions {
  /** Step at once, also where `slew` is asked for, or the source is not known to be better than the clock. */
  force: boolean;
  /** Gradually, where the offset is at most 0.5 s. */
  slew: boolean;
}

export interface ClockOffset {
  source: "host" | SourceName;
  /** In seconds; positive when the clock is, or was, behind. */
  offsetSeconds: number;
  /** What the clock says now, in milliseconds since 1970. */
  nowMs: number;
}

type Measured = Reading & { source: ClockOffset["source"] };

/** The kernel takes 1000 s for it; more is never slewed. */
const mostSlewedUs = 500_000;

/** A time outside is no time: a flat battery's, or a mistake in units. */
const [earliestUs, latestUs] = [Date.UTC(2000, 0, 1) * 1000, Date.UTC(2100, 0, 1) * 1000];

const advice =
  "give the time, or have the VM a clock that the guest can read (/dev/rtc0, ptp_kvm), or run chronyd";

/** Says how far the guest's clock is off, and puts it right. */
export class Clock {
  readonly #system: ClockSystem;
  readonly #log: Pick<Log, "info" | "warn">;
  /** Two that measure and then both step by what they measured would step twice. */
  readonly #turns = new Queue();

  constructor(system: ClockSystem, log: Pick<Log, "info" | "warn">) {
    this.#system = system;
    this.#log = log;
  }

  /** To be called once, at start. Never rejects. */
  async begin(): Promise<void> {
    await this.#turns.run(undefined, async () => {
      try {
        if (await this.#system.begin?.())
          this.#log.info("the clock goes at its own rate again: an agent that was killed had left it");
      } catch (error) {
        this.#log.warn(
          { err: error },
          "whether an earlier agent has left the clock at a wrong rate is not known",
        );
      }
    });
  }

  async close(): Promise<void> {
    await this.#system.close?.();
  }

  /** Changes nothing. Rejects with CodedError clock. */
  async status(
    origin: TimeOrigin,
    signal: AbortSignal,
  ): Promise<ClockOffset & { keptBy: string; isSynchronised: boolean; timezone: string }> {
    const [measured, keptBy, timezone] = await Promise.all([
      this.#measure(origin, signal),
      this.#system.keptBy(),
      this.#system.timezone(),
    ]);
    const { source, offsetUs } = measured;
    const isSynchronised = this.#system.isSynchronised();
    return { ...this.#result(source, offsetUs), keptBy, isSynchronised, timezone };
  }

  /** Gives what the clock was wrong by. Rejects with CodedError clock, and then the clock is as it was. */
  sync(
    origin: TimeOrigin,
    options: SyncOptions,
    signal: AbortSignal,
  ): Promise<ClockOffset & { slewing: boolean }> {
    return this.#turns.run(undefined, async () => {
      signal.throwIfAborted();
      const measured = await this.#measure(origin, signal);
      const done = await this.#correct(measured, options, signal);
      const { source, offsetUs } = measured;
      this.#log.info({ source, offsetSeconds: offsetUs / 1e6 }, `the clock was ${done}`);
      if (source !== "rtc" && done === "stepped") void this.#turns.run(undefined, () => this.#correctRtc());
      return { ...this.#result(source, offsetUs), slewing: done === "slewed" };
    });
  }

  async #measure(origin: TimeOrigin, signal: AbortSignal): Promise<Measured> {
    if (origin.from === "host") {
      const timeUs = origin.timeUs + (performance.now() - origin.saidAt) * 1000;
      return this.#plausible({ source: "host", offsetUs: timeUs - this.#system.now(), uncertaintyUs: 0 });
    }
    const sources = origin.from === "auto" ? timeSources : [origin.from];
    const problems: string[] = [];
    for (const source of sources) {
      try {
        const reading = await this.#system.read(source, signal);
        if (reading) return this.#plausible({ source, ...reading });
        problems.push(`${source}: the guest has none`);
      } catch (error) {
        signal.throwIfAborted();
        problems.push(`${source}: ${(error as Error).message}`);
      }
    }
    throw new CodedError("clock", `nothing tells the time (${problems.join("; ")}); ${advice}`);
  }

  #plausible(measured: Measured): Measured {
    const timeUs = this.#system.now() + measured.offsetUs;
    if (timeUs >= earliestUs && timeUs < latestUs) return measured;
    const time =
      Number.isFinite(timeUs) && Math.abs(timeUs) < 8.64e18
        ? new Date(timeUs / 1000).toISOString()
        : String(timeUs);
    throw new CodedError(
      "clock",
      `the time of ${measured.source} is ${time}; only 2000 to 2099 can be right`,
    );
  }

  async #correct(
    { source, offsetUs, uncertaintyUs }: Measured,
    { force, slew }: SyncOptions,
    signal: AbortSignal,
  ): Promise<"stepped" | "slewed" | "left as it is"> {
    // It may be better than the source is.
    if (Math.abs(offsetUs) <= uncertaintyUs && !force) return "left as it is";
    const slewing = slew && !force && Math.abs(offsetUs) <= mostSlewedUs;
    try {
      // What it has measured chronyd slews by itself.
      if (source === "chrony") await (slewing ? undefined : this.#system.stepByChrony(signal));
      else if (slewing) await this.#system.slew(offsetUs);
      else await this.#system.step(offsetUs);
      return slewing ? "slewed" : "stepped";
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      signal.throwIfAborted();
      const { code, message } = cause as NodeJS.ErrnoException;
      const why = code === "EPERM" ? "the agent may not (EPERM): it needs CAP_SYS_TIME" : message;
      throw new CodedError("clock", `cannot set the clock: ${why}`, { cause });
    }
  }

  /** The machine's clock is what the guest begins with when it is started next. */
  async #correctRtc(): Promise<void> {
    try {
      if (await this.#system.correctRtc()) this.#log.info("the hardware clock was set too");
    } catch (error) {
      this.#log.warn(
        { err: error },
        "the hardware clock could not be set: the guest begins its next start with it",
      );
    }
  }

  #result(source: ClockOffset["source"], offsetUs: number): ClockOffset {
    return { source, offsetSeconds: offsetUs / 1e6, nowMs: this.#system.now() / 1000 };
  }
}
