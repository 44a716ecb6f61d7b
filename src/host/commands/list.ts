import { OnDisconnect } from "../../wire/envelope.ts";
import type { CallOptions } from "../calls.ts";
import type { Message } from "../messages.ts";
import type { Session } from "../session.ts";
import { checkAnswer } from "./answer.ts";

/** A command that spawn() has started, on this connection or another. */
export type CommandInfo = Omit<Message<"execListResponse">["commands"][number], "onDisconnect"> & {
  onDisconnect: "kill" | "keep";
};

/** See Client.commands(). */
export async function commands(session: Session, options: CallOptions): Promise<CommandInfo[]> {
  session.require("exec", "commands");
  const response = await session.request("execList", {}, options);
  checkAnswer(response);
  return response.commands.map((info) => ({
    ...info,
    onDisconnect: info.onDisconnect === OnDisconnect.ON_DISCONNECT_KEEP ? "keep" : "kill",
  }));
}
