import { CodedError } from "../../wire/errors.ts";
import type { CommandRequest } from "../commands/commands.ts";
import type { LiveCommand } from "../commands/live-command.ts";
import type { Request } from "../../wire/operations.ts";
import { commandFields } from "./command-fields.ts";
import type { Handler } from "../session/handler.ts";
import { OnDisconnect, toNumber } from "../../wire/envelope.ts";
import { windowOf } from "./terminal-size.ts";

const defaultKeepBytes = 64 * 1024;
const largestKeepBytes = 1024 * 1024;

export const execStart: Handler<"execStart"> = async (request, context) => {
  const { agent, streams, messageId, signal } = context;
  const giveBack = agent.live.reserve();
  let live: LiveCommand;
  try {
    const command = await agent.commands.start(
      {
        operation: "exec_start",
        session: streams.sessionName,
        kind: kindOf(request),
        ...commandFields(request),
        streams: request.terminal ? { terminal: windowOf(request.terminal) } : { stdin: request.stdin },
      },
      signal,
    );
    live = agent.live.add(
      command,
      {
        onDisconnect: request.onDisconnect === OnDisconnect.ON_DISCONNECT_KEEP ? "keep" : "kill",
        keepBytes: Math.min(request.keepBytes || defaultKeepBytes, largestKeepBytes),
        timeoutMs: request.timeoutSeconds * 1000,
      },
      {
        command: request.command,
        args: request.args,
        user: command.user,
        terminal: request.terminal !== null,
        startedAt: Date.now(),
      },
    );
  } finally {
    giveBack();
  }
  live.attach(streams, messageId, toNumber(request.windowBytes));
  if (signal.aborted) live.terminate(); // cancelled in the moment between the start and this
  context.afterAnswer(() => {
    live.start();
  });
  return { success: true, execId: live.id, pid: live.pid, stdinWindowBytes: live.stdinWindowBytes };
};

function kindOf({ shell, login, args }: Request<"execStart">): CommandRequest["kind"] {
  if (login) return "login";
  if (!shell) return "program";
  if (args.length > 0) throw new CodedError("invalidMessage", "a line for the shell has no arguments");
  return "shell";
}
