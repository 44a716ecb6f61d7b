import { HostError } from "../../host/errors.ts";
import { codeText } from "../../wire/errors.ts";
import { defineCommand } from "../command.ts";
import { exitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { HostCommand } from "../freeze/host-command.ts";
import {
  type FreezeCliOptions,
  addFreezeOptions,
  freezeOptionsOf,
  timeoutOfFreeze,
} from "../freeze/options.ts";
import { noteFailedHooks, noteFreezeError } from "../freeze/show.ts";
import { exitCodeOfSignal } from "../interruption.ts";
import { printableText } from "../ui/printable.ts";

export const withFreeze = defineCommand<FreezeCliOptions>({
  usage: "with-freeze [command...]",
  summary: "run a command of this host while a VM's file systems are frozen",
  description:
    "Freezes as freeze does, runs the command here (a snapshot of the VM's disks, say), and thaws, whatever becomes of it: " +
    "also when it fails, at SIGINT and SIGTERM, which are passed on to it, and on a new connection when the old one is lost. " +
    "The command has LIMIQUANTIX_VM or LIMIQUANTIX_SOCKET in its environment. With --json its output goes to standard " +
    "error.\n\n" +
    `The exit code is the command's. It is ${exitCode.notFrozenLongEnough} when the guest thawed before the command had ended: what ` +
    "it made is not consistent then. Nothing is run when not all could be frozen.",
  examples: [
    ["limiquantix-ctl with-freeze --vm web1 -- lvcreate -s -n snap vg/web1", ""],
    ["limiquantix-ctl with-freeze --vm web1 -m /srv --timeout 5s -- ./snapshot.sh", "5 seconds at most"],
  ],
  timeout: timeoutOfFreeze,
  options(command) {
    command.passThroughOptions();
    addFreezeOptions(command);
  },
  async run(context, options, ...command) {
    if (command.length === 0) throw new UsageError("which command? with-freeze … -- command args");
    const request = freezeOptionsOf(context, options);
    await using client = await context.connect({ timeoutSeconds: undefined, reconnect: true });
    const { vm, socket } = context.target;
    const env = { ...(vm && { LIMIQUANTIX_VM: vm }), ...(socket && { LIMIQUANTIX_SOCKET: socket }) };
    let runner: HostCommand | undefined;
    let code: number | undefined;
    try {
      const { thaw } = await client.fileSystems.whileFrozen(
        { ...request, signal: context.signal },
        async () => {
          runner = new HostCommand(context);
          const interruption = context.signal.aborted;
          code = interruption ? exitCode.interrupted : await runner.run(command, env);
          return code;
        },
      );
      noteFailedHooks(context, thaw.hooks);
      const { interrupted } = runner ?? {};
      const result =
        interrupted && code === exitCode.ok ? exitCodeOfSignal(interrupted) : (code ?? exitCode.failed);
      if (context.json) context.printJson({ exitCode: result, consistent: true, frozenMs: thaw.frozenMs });
      return result;
    } catch (error) {
      noteFreezeError(context, error);
      if (code === undefined || !(error instanceof HostError)) throw error;
      return afterFailedThaw(context, error, code);
    } finally {
      runner?.[Symbol.dispose]();
    }
  },
});

function afterFailedThaw(
  context: Parameters<Parameters<typeof defineCommand>[0]["run"]>[0],
  error: HostError,
  code: number,
): number {
  const isEarly = error.agentCode === codeText("notQuiesced");
  const why = isEarly
    ? "the guest thawed before the command had ended: what it made is not consistent"
    : "the guest did not say that all was frozen until now, and thaws by itself: what the command made may not be consistent";
  context.note(`${why}\n  ${printableText(error.message)}`);
  const result = code === exitCode.ok ? exitCode.notFrozenLongEnough : code;
  if (context.json) context.printJson({ exitCode: result, consistent: false, frozenMs: null });
  return result;
}
