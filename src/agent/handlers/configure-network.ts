import { timestamp } from "../../wire/envelope.ts";
import { ChangeFailed } from "../network/requests.ts";
import type { Handler } from "../session/handler.ts";

export const configureNetwork: Handler<"configureNetwork"> = async (request, context) => {
  const { agent, signal, log } = context;
  const { netplanConfig: document, applyNow: apply, confirmSeconds } = request;
  try {
    const what = { operation: "configure_network", target: "network" };
    const { backend, changes, confirmation } = await agent.audit.around(context, what, "network", async () =>
      (await agent.network.get()).configure({ document, apply, confirmSeconds }, signal),
    );
    if (!confirmation) return { success: true, backend, changes };
    const { token: confirmToken, until } = confirmation;
    return { success: true, backend, changes, confirmToken, confirmUntil: timestamp(until) };
  } catch (error) {
    if (!(error instanceof ChangeFailed)) throw error;
    const { wireText, backend, rolledBack } = error;
    log.warn({ request: "configureNetwork", backend, rolledBack }, wireText);
    return { success: false, error: wireText, backend, rolledBack };
  }
};
