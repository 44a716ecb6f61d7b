import { Refused } from "../quiesce/refused.ts";
import type { Handler } from "../session/handler.ts";
import { auditTarget, frozenFields, hookFields, time } from "./quiesce-fields.ts";

/** Freezes file systems for a snapshot, all or none. A host that goes before it has its answer leaves nothing frozen. */
export const quiesce: Handler<"quiesce"> = async (request, context) => {
  const { agent, log, signal } = context;
  const target = auditTarget(request.mountPoints);
  try {
    return await agent.audit.around(context, { operation: "quiesce", target }, "quiesce", async () => {
      const { freeze, lines, hooks } = await agent.quiesce.freeze(
        {
          mountPoints: request.mountPoints,
          timeoutSeconds: request.timeoutSeconds,
          runHooks: request.runPreFreezeScripts,
          hookFolder: request.preFreezeScriptDir,
        },
        signal,
      );
      log.info({ mountPoints: freeze.mountPoints, until: freeze.autoThawAt }, "file systems are frozen");
      return {
        success: true,
        frozen: frozenFields(lines),
        quiesceToken: freeze.token,
        autoThawAt: time(freeze.autoThawAt),
        hooks: hookFields(hooks),
      };
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    log.warn({ request: "quiesce", err: error.cause ?? error }, error.wireText);
    const { wireText, lines, hooks } = error;
    return { error: wireText, frozen: frozenFields(lines), hooks: hookFields(hooks) };
  }
};
