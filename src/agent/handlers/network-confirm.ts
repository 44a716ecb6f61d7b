import type { Handler } from "../session/handler.ts";

export const networkConfirm: Handler<"networkConfirm"> = async ({ confirmToken }, context) => {
  const { agent } = context;
  const what = { operation: "network_confirm", target: "network" };
  await agent.audit.around(context, what, "network", async () =>
    (await agent.network.get()).confirm(confirmToken),
  );
  return { success: true };
};
