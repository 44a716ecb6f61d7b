import { CodedError } from "../../wire/errors.ts";
import type { Handler } from "../session/handler.ts";
import { windowOf } from "./terminal-size.ts";

export const execResize: Handler<"execResize"> = ({ execId, terminal }, { agent }) => {
  const live = agent.live.get(execId);
  if (!agent.live.factsOf(live)?.terminal) throw new CodedError("noSuchCommand", `${execId} has no terminal`);
  if (terminal === null) throw new CodedError("invalidMessage", "no size was given");
  const { columns, rows } = windowOf(terminal);
  live.resize(columns, rows);
  return { success: true };
};
