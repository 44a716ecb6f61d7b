import { toNumber } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Handler } from "../session/handler.ts";

export const execAttach: Handler<"execAttach"> = (request, context) => {
  const { agent, streams, messageId } = context;
  const { execId } = request;
  const live = agent.live.get(execId);
  if (live.attached) throw new CodedError("noSuchCommand", `${execId} has a host already`);
  const droppedBytes = live.attach(streams, messageId, toNumber(request.windowBytes), [
    toNumber(request.receivedStdoutBytes),
    toNumber(request.receivedStderrBytes),
  ]);
  context.afterAnswer(() => {
    live.start();
  });
  return {
    success: true,
    pid: live.pid,
    stdinWindowBytes: live.stdinWindowBytes,
    droppedBytes,
    terminal: agent.live.factsOf(live)?.terminal ?? false,
  };
};
