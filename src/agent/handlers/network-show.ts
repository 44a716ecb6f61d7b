import { timestamp } from "../../wire/envelope.ts";
import type { Handler } from "../session/handler.ts";

export const networkShow: Handler<"networkShow"> = async (_request, context) => {
  const { agent, signal } = context;
  const what = { operation: "network_show", target: "network" };
  const state = await agent.audit.around(context, what, "network", async () =>
    (await agent.network.get()).show(signal),
  );
  const { backend, document: netplanConfig, effective, confirmUntil, canRollBack } = state;
  return {
    success: true,
    backend,
    netplanConfig,
    effective,
    canRollBack,
    ...(confirmUntil !== undefined && { confirmUntil: timestamp(confirmUntil) }),
  };
};
