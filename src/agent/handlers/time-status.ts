import { timestamp } from "../../wire/envelope.ts";
import { originOf } from "../clock/origin.ts";
import type { Handler } from "../session/handler.ts";

export const timeStatus: Handler<"timeStatus"> = async ({ referenceTime, source }, context) => {
  const origin = originOf(referenceTime, source, context.arrivedAt);
  const status = await context.agent.clock.status(origin, context.signal);
  return {
    success: true,
    offsetSeconds: status.offsetSeconds,
    currentTime: timestamp(status.nowMs),
    timeSource: status.source,
    keptBy: status.keptBy,
    isSynchronised: status.isSynchronised,
    timezone: status.timezone,
  };
};
