import { TimeSource, timestamp } from "../../wire/envelope.ts";
import type { CallOptions } from "../calls.ts";
import { checkAnswer } from "../commands/answer.ts";
import { dateOf } from "../date.ts";
import type { SessionOf } from "../files/files.ts";

/** Where a guest has the time from: a PTP clock of the hypervisor, the hardware clock, chronyd; or the best that it has. */
export type ClockSource = "auto" | "ptp" | "rtc" | "chrony";

/** What a guest's clock is compared with, or set to. */
export interface ClockReference {
  /** The right time: "now" for this host's, when the request leaves. Without, the guest asks `source`. */
  time?: Date | "now" | undefined;
  /** "auto" unless given. */
  source?: ClockSource | undefined;
}

export interface SyncOptions extends CallOptions, ClockReference {
  /** At once, also where `slew` is asked for. */
  force?: boolean | undefined;
  /** Gradually, where the clock is off by 0.5 s at most; else it is stepped. */
  slew?: boolean | undefined;
}

export interface SyncResult {
  /** What the clock was wrong by; positive when it was behind. */
  offsetSeconds: number;
  /** What it says now. */
  currentTime: Date | null;
  /** "host", "ptp", "rtc" or "chrony". */
  timeSource: string;
  /** It gets there gradually. */
  slewing: boolean;
}

export interface ClockStatus {
  /** Positive when the clock is behind. */
  offsetSeconds: number;
  /** What it says. */
  currentTime: Date | null;
  /** What it was compared with: "host", "ptp", "rtc" or "chrony". */
  timeSource: string;
  /** "chronyd", "systemd-timesyncd", "ntpd", "w32time" or "". */
  keptBy: string;
  /** It says that the clock is right. Windows does not tell. */
  isSynchronised: boolean;
  /** "Europe/Berlin", or "". */
  timezone: string;
}

const sourceOf = {
  auto: TimeSource.TIME_SOURCE_AUTO,
  ptp: TimeSource.TIME_SOURCE_PTP,
  rtc: TimeSource.TIME_SOURCE_RTC,
  chrony: TimeSource.TIME_SOURCE_CHRONY,
} as const;

/**
 * The guest's clock: `client.clock`. What a request takes to get there is not known, and counts as an offset: a
 * millisecond or two. Rejects with a HostError: "agent-error" with QXGA-5009; "not-supported" by agents that cannot.
 */
export class Clock {
  readonly #session: SessionOf;

  constructor(session: SessionOf) {
    this.#session = session;
  }

  /** How far the clock is off; changes nothing. */
  async status(options: CallOptions & ClockReference = {}): Promise<ClockStatus> {
    const { time, source = "auto", ...call } = options;
    const session = await this.#session("status", call);
    session.require("time_status", "status");
    const request = { source: sourceOf[source], ...(time && { referenceTime: timestampOf(time) }) };
    const response = await session.request("timeStatus", request, call);
    checkAnswer(response);
    const { offsetSeconds, currentTime, timeSource, keptBy, isSynchronised, timezone } = response;
    return {
      ...{ offsetSeconds, timeSource, keptBy, isSynchronised, timezone },
      currentTime: currentTime && dateOf(currentTime),
    };
  }

  /** Puts the clock right, after a restored snapshot for example. The hardware clock gives a time only after up to a second. */
  async sync(options: SyncOptions = {}): Promise<SyncResult> {
    const { time, source = "auto", force = false, slew = false, ...call } = options;
    const session = await this.#session("sync", call);
    if (slew || (time === undefined && source !== "auto"))
      session.require("time_status", "slew, and source,");
    const request = { force, slew, source: sourceOf[source], ...(time && { setTime: timestampOf(time) }) };
    const response = await session.request("syncTime", request, call);
    checkAnswer(response);
    const { offsetSeconds, currentTime, timeSource, slewing } = response;
    return { offsetSeconds, timeSource, slewing, currentTime: currentTime && dateOf(currentTime) };
  }
}

/** Throws RangeError for a Date that is none. */
function timestampOf(time: Date | "now"): { seconds: number; nanos: number } {
  const ms = time === "now" ? Date.now() : time.getTime();
  if (!Number.isFinite(ms)) throw new RangeError("time is no valid Date");
  return timestamp(ms);
}
