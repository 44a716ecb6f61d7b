import { CodedError } from "../../wire/errors.ts";
import type { Handler } from "../session/handler.ts";

/** Linux: SIGRTMAX. */
const largestSignal = 64;

export const execSignal: Handler<"execSignal"> = ({ execId, signal }, { agent }) => {
  const live = agent.live.get(execId);
  if (signal < 1 || signal > largestSignal)
    throw new CodedError("invalidMessage", `there is no signal ${signal}`);
  if (live.signal(signal)) return { success: true };
  throw new CodedError("noSuchCommand", `${execId} has ended`);
};
