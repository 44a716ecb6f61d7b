import type { Client, ShutdownKind } from "../../host/index.ts";
import { type CliCommand, defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { parseSeconds } from "../seconds.ts";
import { printable } from "../ui/printable.ts";
import { duration } from "../ui/units.ts";

interface PowerOptions {
  in?: number;
  message?: string;
  cancel?: boolean;
  status?: boolean;
}

const verbs = { poweroff: "goes off", reboot: "restarts", halt: "halts" } as const;

function powerCommand(
  name: string,
  kind: ShutdownKind,
  { summary, description }: { summary: string; description?: string },
): CliCommand {
  return defineCommand<PowerOptions>({
    usage: name,
    summary,
    description: [
      description,
      "Returns when the guest has promised to; its services end first, which takes a while.",
      "A guest keeps one shutdown that is to come; the next one, of any kind, takes its place.",
      "--cancel and --status are about that one too.",
    ]
      .filter((line) => line !== undefined)
      .join("\n"),
    examples: [
      [`limiquantix-ctl ${name} --vm web1`, ""],
      [`limiquantix-ctl ${name} --vm web1 --in 10m --message "new disks"`, "users in the guest are told"],
      [`limiquantix-ctl ${name} --vm web1 --cancel`, ""],
    ],
    options(command) {
      command
        .option("--in <seconds>", "not before so long; at once unless given", parseSeconds)
        .option("--message <text>", "for users who are logged in there")
        .option("--cancel", "call off the shutdown that waits")
        .option("--status", "tell what waits");
    },
    async run(context, options) {
      const { in: delaySeconds, message, cancel, status } = options;
      const others = [delaySeconds, message].some((option) => option !== undefined);
      if ((cancel && status) || ((cancel ?? status) && others))
        throw new UsageError("--cancel and --status go with no other option of this command");
      await using client = await context.connect();
      if (cancel) return await callOff(context, client);
      if (status) return await tell(context, client);
      const wholeSeconds = Math.ceil(delaySeconds ?? 0);
      const result = await client.power.shutdown(kind, {
        ...context.call,
        delaySeconds: wholeSeconds,
        message,
      });
      if (context.json) context.printJson({ kind, ...result });
      else context.print(promise(context, kind, result.dueAt && wholeSeconds, result.replaced));
      return exitCode.ok;
    },
  });
}

/** "web1 restarts in 10 min, in place of the shutdown that waited". */
function promise(
  { targetName }: Context,
  kind: ShutdownKind,
  leftSeconds: number | null,
  replaced: boolean,
): string {
  const when = leftSeconds === null ? "now" : `in ${duration(leftSeconds)}`;
  return `${targetName} ${verbs[kind]} ${when}${replaced ? ", in place of the shutdown that waited" : ""}`;
}

async function callOff(context: Context, client: Client): Promise<number> {
  const wasPending = await client.power.cancel(context.call);
  if (context.json) context.printJson({ wasPending });
  else
    context.print(
      wasPending ? `the shutdown of ${context.targetName} was called off` : "nothing was waiting",
    );
  return exitCode.ok;
}

async function tell(context: Context, client: Client): Promise<number> {
  const status = await client.power.status(context.call);
  if (context.json) {
    context.printJson(status);
    return exitCode.ok;
  }
  const { pending, dropped } = status;
  if (pending === null) {
    context.print("no shutdown waits");
  } else {
    const when = pending.underWay
      ? "now"
      : `at ${pending.dueAt.toLocaleString("sv-SE")}, by the guest's clock`;
    context.print(`${context.targetName} ${verbs[pending.kind]} ${when}`);
    if (pending.message !== "") context.print(printable(pending.message));
  }
  if (dropped !== "") context.print(printable(dropped));
  return exitCode.ok;
}

export const shutdown = powerCommand("shutdown", "poweroff", {
  summary: "shut a VM's system down and turn it off",
});

export const reboot = powerCommand("reboot", "reboot", { summary: "restart a VM's system" });

export const halt = powerCommand("halt", "halt", {
  summary: "stop a VM's system and leave the power on",
  description: 'The VM still counts as running afterwards; "shutdown" is what turns it off.',
});
