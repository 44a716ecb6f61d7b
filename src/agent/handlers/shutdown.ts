import { timestamp } from "../../wire/envelope.ts";
import { errorCodeOf, kindOf } from "../power/kind.ts";
import { errorEvent } from "../session/failure.ts";
import type { Handler } from "../session/handler.ts";

/** Also goes on when its host has gone: many ask and do not wait. */
export const shutdown: Handler<"shutdown"> = async ({ type, delaySeconds, message }, context) => {
  const { audit, power } = context.agent;
  const kind = kindOf(type);
  const target = delaySeconds === 0 ? kind : `${kind} in ${delaySeconds} s`;
  return await audit.around(context, { operation: "shutdown", target }, errorCodeOf(kind), async () => {
    const { streams } = context;
    const { dueAt, replaced, answered } = await power.request({
      kind,
      delaySeconds,
      message,
      session: streams.sessionName,
      onFailure: (error) => {
        streams.send(errorEvent(error));
      },
    });
    if (answered) context.afterSent(answered);
    return { accepted: true, replaced, ...(dueAt && { dueAt: timestamp(dueAt.getTime()) }) };
  });
};
