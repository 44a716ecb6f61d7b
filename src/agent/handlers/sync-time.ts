import { timestamp } from "../../wire/envelope.ts";
import { originOf } from "../clock/origin.ts";
import type { Handler } from "../session/handler.ts";

export const syncTime: Handler<"syncTime"> = async (request, context) => {
  const { audit, clock } = context.agent;
  const { force, slew, setTime, source } = request;
  const origin = originOf(setTime, source, context.arrivedAt);
  return await audit.around(context, { operation: "sync_time", target: origin.from }, "clock", async () => {
    const done = await clock.sync(origin, { force, slew }, context.signal);
    return {
      success: true,
      offsetSeconds: done.offsetSeconds,
      currentTime: timestamp(done.nowMs),
      timeSource: done.source,
      slewing: done.slewing,
    };
  });
};
