import type { Handler } from "../session/handler.ts";
import { frozenFields, time } from "./quiesce-fields.ts";

/** What is frozen, and how the last freeze ended. */
export const quiesceStatus: Handler<"quiesceStatus"> = (_request, { agent }) => {
  const { freeze, last } = agent.quiesce.status;
  return {
    success: true,
    isFrozen: freeze !== undefined,
    ...(freeze && {
      frozen: frozenFields(freeze.frozen.map(({ mount }) => ({ mount, frozen: true, error: "" }))),
      frozenAt: time(freeze.since),
      autoThawAt: time(freeze.autoThawAt),
    }),
    lastThaw: last?.why ?? "",
    lastWasCutShort: last?.cutShort ?? false,
  };
};
