import { Refused } from "../quiesce/refused.ts";
import type { Handler } from "../session/handler.ts";
import { auditTarget, hookFields } from "./quiesce-fields.ts";

/** Thaws what quiesce has frozen. With `error` and `success` both set all is thawed, and a hook has failed. */
export const thaw: Handler<"thaw"> = async (request, context) => {
  const { agent, log } = context;
  const target = auditTarget(request.mountPoints);
  try {
    return await agent.audit.around(context, { operation: "thaw", target }, "thaw", async () => {
      const { thawed, frozenMs, hooks, problem } = await agent.quiesce.thaw({
        token: request.quiesceToken,
        mountPoints: request.mountPoints,
        runHooks: request.runPostThawScripts,
        hookFolder: request.postThawScriptDir,
      });
      log.info({ mountPoints: thawed, frozenMs }, "file systems are thawed");
      if (problem) log.warn({ request: "thaw", err: problem }, problem.wireText);
      return {
        success: true,
        error: problem?.wireText ?? "",
        thawedMountPoints: thawed,
        frozenDurationMs: frozenMs,
        hooks: hookFields(hooks),
      };
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    log.warn({ request: "thaw", err: error }, error.wireText);
    return {
      error: error.wireText,
      thawedMountPoints: [...error.thawed],
      frozenDurationMs: error.frozenMs,
      hooks: hookFields(error.hooks),
    };
  }
};
