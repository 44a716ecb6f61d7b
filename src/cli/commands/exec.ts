import { type Command, InvalidArgumentError } from "commander";
import type { SpawnOptions } from "../../host/index.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { exitCodeOfCommand, howToAttach, runInForeground } from "../exec/foreground.ts";
import { LocalTerminal } from "../exec/local-terminal.ts";
import { type ExecOptions, type Plan, planOf } from "../exec/plan.ts";
import { UsageError } from "../failure.ts";

export const exec = defineCommand<ExecOptions>({
  usage: "exec [command...]",
  summary: "run a command in a VM",
  description:
    "The command is looked up in the guest's PATH and runs until it ends, with its output passed on as it comes. " +
    "The first word that is no option begins it; its own options are left alone.\n\n" +
    "The exit code is the command's (128 and the number of the signal that it died of), 127 when there is no such " +
    "command, 126 when it may not be run, 124 when --timeout ended it. With --json the result is one object with " +
    "the exit code and the output, when the command has ended.\n\n" +
    "SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on to it; a second SIGINT within a second ends it. With " +
    "--terminal, escapes work as in a shell: see limiquantix-ctl help shell.",
  examples: [
    ["limiquantix-ctl exec --vm web1 -- df -h /", ""],
    ["limiquantix-ctl exec --vm web1 -u postgres --shell 'psql -l | head'", "a line for /bin/sh"],
    ["limiquantix-ctl exec --vm web1 -i tar -xC /srv < site.tar", "with standard input"],
    ["limiquantix-ctl exec --vm web1 -t -- top", "with a terminal"],
    ["limiquantix-ctl exec --vm web1 --keep -- apt-get -y upgrade", "goes on when the connection is lost"],
    ["limiquantix-ctl exec --vm web1 --list", "the commands that run"],
    ["limiquantix-ctl exec --vm web1 --attach ID", "follow a kept one again; ~d leaves it"],
  ],
  timeout: "when to end the command, in whole seconds; no limit unless given",
  options: addExecOptions,
  async run(context, options, ...operands) {
    const plan = planOf(options, operands);
    if (plan.action === "spawn" && plan.terminal) requireTerminal();
    // --timeout is the command's, not that of our answers.
    await using client = await context.connect(plan.action === "list" ? {} : { timeoutSeconds: undefined });
    switch (plan.action) {
      case "list": {
        const commands = await client.commands();
        const { forPrograms, show } = await import("../exec/list.ts");
        if (context.json) context.printJson(commands.map(forPrograms));
        else show(context, commands);
        return exitCode.ok;
      }
      case "attach":
        return await attach(context, client, plan);
      case "execute": {
        const result = await client.execute({ ...plan.options, signal: context.signal });
        const { stdout, stderr, truncated, timedOut, durationMs } = result;
        context.printJson({ exitCode: result.exitCode, stdout, stderr, truncated, timedOut, durationMs });
        return result.timedOut ? exitCode.commandTimedOut : exitCodeOfCommand(result.exitCode);
      }
      case "spawn":
        return await start(context, client, plan);
      default:
        return plan satisfies never;
    }
  },
});

export function addExecOptions(command: Command): void {
  command
    .passThroughOptions()
    .option("-u, --user <name>", "run it as this user of the guest, by name or number")
    .option("-g, --group <name>", "and this group; the user's own unless given")
    .option("-e, --env <name=value>", "add this to its environment; may be given again", addVariable)
    .option("-w, --workdir <folder>", "run it in this folder; the user's home unless given")
    .option("-i, --stdin", "pass standard input on to it")
    .option("-t, --terminal", "give it a terminal, and ours to it; with --stdin")
    .option("--shell", "the words are one line for /bin/sh")
    .option("--keep", "let it go on when the connection, or this program, goes away")
    .option("--list", "show the commands that run, and kept ones that have ended")
    .option("--attach <id>", "follow a kept command again");
}

type Client = Awaited<ReturnType<Context["connect"]>>;

async function start(
  context: Context,
  client: Client,
  { options, input, terminal, kept }: Extract<Plan, { action: "spawn" }>,
): Promise<number> {
  const remote = await client.spawn({
    ...options,
    ...(terminal && withTerminal(options)),
    signal: context.signal,
  });
  if (kept) context.note(`kept in the guest; ${howToAttach(context, remote)}`);
  return await runInForeground(context, remote, {
    input,
    terminal,
    kept,
    timeoutSeconds: options.timeoutSeconds,
    ...(terminal && { escapes: { detach: kept } }),
  });
}

async function attach(
  context: Context,
  client: Client,
  { execId, input }: Extract<Plan, { action: "attach" }>,
): Promise<number> {
  const remote = await client.attach(execId, { signal: context.signal });
  if (remote.droppedBytes > 0) context.note(`${remote.droppedBytes} bytes of older output are not kept`);
  if (input && remote.stdin === null) context.note("this command has no standard input");
  return await runInForeground(context, remote, {
    input: input && remote.stdin !== null,
    terminal: input && remote.stderr === null && LocalTerminal.isThere,
    kept: true,
    escapes: { detach: true },
  });
}

/** What a command with our terminal needs to know of it. */
export function withTerminal({ env }: Pick<SpawnOptions, "env">): Pick<SpawnOptions, "terminal" | "env"> {
  const { TERM } = process.env;
  return { terminal: LocalTerminal.size, env: { ...(TERM && { TERM }), ...env } };
}

/** Throws a UsageError when there is none to give. */
export function requireTerminal(): void {
  if (LocalTerminal.isThere) return;
  throw new UsageError(
    "standard input and output are not a terminal; run it from one, or use exec without --terminal",
  );
}

/** For commander: adds one NAME=VALUE to those before. */
export function addVariable(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("It must be NAME=VALUE.");
  return { ...before, [name]: value };
}
