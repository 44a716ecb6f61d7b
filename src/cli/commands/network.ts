import { InvalidArgumentError } from "commander";
import { defineCommand } from "../command.ts";
import { UsageError } from "../failure.ts";
import { applyNetwork } from "../network/apply.ts";
import { rollNetworkBack, showNetwork } from "../network/state.ts";
import { parseSeconds } from "../seconds.ts";

export interface NetworkOptions {
  confirm?: number;
  /** --no-apply */
  apply: boolean;
}

const actions = ["show", "apply", "rollback"] as const;
const mostConfirmSeconds = 3600;

export const network = defineCommand<NetworkOptions>({
  usage: "network <action> [file]",
  summary: "show, change or roll back how a VM's network is configured",
  description:
    "show      what was configured from here, and what is in force\n" +
    "apply     carries out a netplan document; - reads it from standard input\n" +
    "rollback  brings back what was there before the last apply\n\n" +
    "The guest checks a document before it changes anything, and brings back what was there before when it cannot be " +
    "applied. Guests with NetworkManager or systemd-networkd and no netplan get it converted, or say which key they cannot " +
    "have.\n\n" +
    "With --confirm the change is confirmed only when the agent answers a ping on a new connection after it. Otherwise, " +
    "and when this command ends before, the guest rolls it back by itself at that time.",
  examples: [
    ["limiquantix-ctl network show --vm web1", ""],
    [
      "limiquantix-ctl network apply net.yaml --vm web1 --confirm 60s",
      "rolled back if the agent is not there afterwards",
    ],
    ["limiquantix-ctl network apply net.yaml --vm web1 --no-apply", "for the next boot"],
    ["limiquantix-ctl network rollback --vm web1", ""],
  ],
  completes: actions,
  options(command) {
    command
      .option(
        "--confirm <seconds>",
        "apply: roll it back unless it is confirmed within this time",
        parseConfirm,
      )
      .option("--no-apply", "apply: only write it, for the next boot");
  },
  async run(context, options, name = "", file = "") {
    const action = actions.find((known) => known === name);
    if (action === undefined) throw new UsageError(`${name}: network can ${actions.join(", ")}`);
    if (action === "apply") {
      if (file === "") throw new UsageError("which file? - is standard input");
      return await applyNetwork(context, file, options);
    }
    if (file !== "") throw new UsageError(`network ${action} takes no file`);
    if (options.confirm !== undefined || !options.apply) {
      throw new UsageError(`--confirm and --no-apply are for network apply, not for ${action}`);
    }
    return action === "show" ? await showNetwork(context) : await rollNetworkBack(context);
  },
});

function parseConfirm(text: string): number {
  const seconds = Math.ceil(parseSeconds(text));
  if (seconds > mostConfirmSeconds) throw new InvalidArgumentError("It must be an hour at most.");
  return seconds;
}
