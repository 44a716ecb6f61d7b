import type { Handler } from "../session/handler.ts";

export const networkRollback: Handler<"networkRollback"> = async (_request, context) => {
  const { agent } = context;
  const what = { operation: "network_rollback", target: "network" };
  const changes = await agent.audit.around(context, what, "network", async () =>
    (await agent.network.get()).rollBack(),
  );
  return { success: true, changes };
};
