import { OnDisconnect, timestamp } from "../../wire/envelope.ts";
import type { LiveFacts } from "../commands/live-commands.ts";
import type { Handler } from "../session/handler.ts";

export const execList: Handler<"execList"> = (_request, { agent }) => ({
  success: true,
  commands: agent.live.list().map(({ live, facts }) => ({
    execId: live.id,
    pid: live.pid,
    ...shown(facts),
    user: facts.user,
    startedAt: timestamp(facts.startedAt),
    running: live.running,
    exitCode: live.exitCode,
    attached: live.attached,
    terminal: facts.terminal,
    onDisconnect:
      live.options.onDisconnect === "keep"
        ? OnDisconnect.ON_DISCONNECT_KEEP
        : OnDisconnect.ON_DISCONNECT_KILL,
  })),
});

/** For a list to be looked at; a hundred whole ones may not fit in a frame. */
const mostCharacters = 4096;

function shown({ command, args }: LiveFacts): { command: string; args: string[] } {
  let left = mostCharacters;
  const cut = (text: string): string => {
    const kept = text.length <= left ? text : `${text.slice(0, left)}…`;
    left = Math.max(0, left - text.length);
    return kept;
  };
  return { command: cut(command), args: args.flatMap((arg) => (left > 0 ? [cut(arg)] : [])) };
}
