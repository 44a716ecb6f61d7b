import { timestamp } from "../../wire/envelope.ts";
import { typeOf } from "../power/kind.ts";
import type { Handler } from "../session/handler.ts";

export const shutdownStatus: Handler<"shutdownStatus"> = async (_request, { agent }) => {
  const { shutdown, dropped } = await agent.power.status();
  if (shutdown === undefined) return { success: true, pending: false, dropped };
  const { kind, dueAt, message, underWay } = shutdown;
  return {
    success: true,
    pending: true,
    type: typeOf(kind),
    dueAt: timestamp(dueAt.getTime()),
    message,
    underWay,
    dropped,
  };
};
