import { defineCommand } from "../command.ts";
import { exitCode } from "../exit-codes.ts";
import {
  type FreezeCliOptions,
  addFreezeOptions,
  freezeOptionsOf,
  timeoutOfFreeze,
} from "../freeze/options.ts";
import { noteFreezeError, showFileSystems, timeOf } from "../freeze/show.ts";
import { printable } from "../ui/printable.ts";

export const freeze = defineCommand<FreezeCliOptions>({
  usage: "freeze",
  summary: "stand a VM's file systems still for a snapshot",
  description:
    "All of them are written out and frozen, or none: commands in the guest that write wait until they thaw. The guest's " +
    "hooks run first. Prints the token that thaw wants. with-freeze does both, around a command.",
  examples: [
    ["limiquantix-ctl freeze --vm web1", ""],
    [
      "limiquantix-ctl freeze --vm web1 -m /srv -m /home --timeout 2m",
      "two of them, for two minutes at most",
    ],
  ],
  timeout: timeoutOfFreeze,
  options: addFreezeOptions,
  async run(context, options) {
    const request = freezeOptionsOf(context, options);
    // --timeout is the freeze's, not that of our answers.
    await using client = await context.connect({ timeoutSeconds: undefined });
    try {
      const result = await client.fileSystems.freeze({ ...request, signal: context.signal });
      if (context.json) {
        context.printJson(result);
      } else {
        showFileSystems(context, result.fileSystems);
        context.print(`token: ${printable(result.token)}`);
        if (result.autoThawAt) context.print(`thaws by itself at ${timeOf(result.autoThawAt)}`);
      }
      return exitCode.ok;
    } catch (error) {
      noteFreezeError(context, error);
      throw error;
    }
  },
});
