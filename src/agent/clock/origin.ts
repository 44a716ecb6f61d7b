import { CodedError } from "../../wire/errors.ts";
import { TimeSource, toNumber } from "../../wire/envelope.ts";
import type { TimeOrigin } from "./clock.ts";

type Timestamp = { seconds?: number | { toNumber(): number } | null; nanos?: number | null } | null;

/** Where a request wants the time from. Throws CodedError clock for a timestamp that is none, invalidMessage for a source that is none. */
export function originOf(time: Timestamp, source: TimeSource, arrivedAt: number): TimeOrigin {
  if (time !== null) {
    const [seconds, nanos] = [toNumber(time.seconds ?? 0), time.nanos ?? 0];
    if (nanos < 0 || nanos > 999_999_999)
      throw new CodedError("clock", `a timestamp has 0 to 999999999 nanoseconds, not ${nanos}`);
    return { from: "host", timeUs: seconds * 1e6 + nanos / 1000, saidAt: arrivedAt };
  }
  switch (source) {
    case TimeSource.TIME_SOURCE_AUTO:
      return { from: "auto" };
    case TimeSource.TIME_SOURCE_PTP:
      return { from: "ptp" };
    case TimeSource.TIME_SOURCE_RTC:
      return { from: "rtc" };
    case TimeSource.TIME_SOURCE_CHRONY:
      return { from: "chrony" };
    default:
      throw new CodedError("invalidMessage", `${String(source)} is no source of time`);
  }
}
