import type { CommandInfo } from "../../host/index.ts";
import type { Context } from "../context.ts";
import { printable } from "../ui/printable.ts";
import { table } from "../ui/table.ts";
import { outputColumns } from "../ui/terminal.ts";
import { cut } from "../ui/width.ts";

/** The commands of a guest, as ps(1) would show them. */
export function show(context: Context, commands: readonly CommandInfo[]): void {
  const lines = table(
    ["ID", "PID", "STATE", "USER", "STARTED", "COMMAND"].map((title) => ({ title })),
    commands.map((command) => [
      printable(command.execId),
      String(command.pid),
      stateOf(command),
      printable(command.user),
      startOf(command),
      printable([command.command, ...command.args].join(" ")),
    ]),
  );
  for (const line of lines) context.print(process.stdout.isTTY ? cut(line, outputColumns()) : line);
}

function stateOf({ running, attached, exitCode }: CommandInfo): string {
  if (!running) return `exited ${exitCode}`;
  return attached ? "attached" : "kept";
}

/** "2026-11-25 02:05:30", in the time of this host. */
function startOf({ startedAt }: CommandInfo): string {
  return startedAt === null ? "" : new Date(startedAt.seconds * 1000).toLocaleString("sv-SE");
}

/** As --json has it. */
export function forPrograms(info: CommandInfo): object {
  const { execId, pid, command, args, user, startedAt, running, exitCode, attached, terminal, onDisconnect } =
    info;
  return {
    execId,
    pid,
    command,
    args,
    user,
    startedAt: startedAt && new Date(startedAt.seconds * 1000 + startedAt.nanos / 1e6).toISOString(),
    running,
    ...(!running && { exitCode }),
    attached,
    terminal,
    onDisconnect,
  };
}
