import { defineCommand } from "../command.ts";
import { exitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { addMountOption } from "../freeze/options.ts";
import { noteFailedHooks } from "../freeze/show.ts";
import { printable } from "../ui/printable.ts";
import { duration } from "../ui/units.ts";

interface ThawCliOptions {
  token?: string;
  force?: boolean;
  mount?: string[];
  hooks: boolean;
  hookFolder?: string;
}

export const thaw = defineCommand<ThawCliOptions>({
  usage: "thaw",
  summary: "let a VM's file systems be written to again",
  examples: [
    ["limiquantix-ctl thaw --vm web1 --token TOKEN", "what freeze has frozen"],
    ["limiquantix-ctl thaw --vm web1 --force", "whatever is frozen, whoever has frozen it"],
  ],
  options(command) {
    command
      .option("--token <token>", "as freeze has printed it")
      .option("--force", "without a token: it may be somebody else's snapshot that this spoils");
    addMountOption(command, "thaw this mount point only; may be given again");
    command
      .option("--no-hooks", "do not run the guest's hooks")
      .option("--hook-folder <path>", "run those in this folder of the guest");
  },
  async run(context, { token, force = false, mount, hooks, hookFolder }) {
    if ((token === undefined) !== force) throw new UsageError("thaw needs either --token or --force");
    if (token === "") throw new UsageError("--token is empty; to thaw without one, give --force");
    await using client = await context.connect();
    const result = await client.fileSystems.thaw({
      ...context.call,
      token,
      mountPoints: mount,
      hooks,
      hookFolder,
    });
    if (context.json) context.printJson(result);
    else {
      const names = result.mountPoints.map(printable).join(", ");
      context.print(`thawed: ${names} (frozen for ${duration(result.frozenMs / 1000)})`);
    }
    noteFailedHooks(context, result.hooks);
    return result.warning === "" ? exitCode.ok : exitCode.failed;
  },
});
