import type { Handler } from "../session/handler.ts";

export const shutdownCancel: Handler<"shutdownCancel"> = async (_request, context) => {
  const { audit, power } = context.agent;
  return await audit.around(context, { operation: "shutdown_cancel", target: "" }, "shutdown", async () => ({
    success: true,
    wasPending: await power.cancel(),
  }));
};
