import { toNumber } from "../../wire/envelope.ts";
import { trimAll } from "../quiesce/trim.ts";
import type { Handler } from "../session/handler.ts";
import { auditTarget } from "./quiesce-fields.ts";

/** Tells disks which blocks are unused. */
export const trim: Handler<"trim"> = async (request, context) => {
  const { agent, log, signal } = context;
  const minimumBytes = Math.min(toNumber(request.minimumBytes), Number.MAX_SAFE_INTEGER);
  const target = auditTarget(request.mountPoints);
  return await agent.audit.around(context, { operation: "trim", target }, "mount", async () => {
    const trimmed = await trimAll(agent.freezer, { mountPoints: request.mountPoints, minimumBytes }, signal);
    const failure = trimmed.find(({ error }) => error)?.error;
    if (failure) log.warn({ request: "trim", err: failure.cause ?? failure }, failure.wireText);
    return {
      success: failure === undefined,
      error: failure?.wireText ?? "",
      trimmed: trimmed.map(({ mountPoint, bytes, error }) => ({
        mountPoint,
        trimmedBytes: bytes,
        error: error?.wireText ?? "",
      })),
    };
  });
};
