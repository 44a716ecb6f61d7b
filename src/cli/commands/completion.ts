import { defineCommand } from "../command.ts";
import { completionScripts } from "../completion/scripts.ts";
import { exitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";

type Shell = keyof typeof completionScripts;

const shells = Object.keys(completionScripts) as Shell[];

export const completion = defineCommand({
  usage: "completion <shell>",
  summary: "complete command lines with Tab, in bash, zsh or fish",
  description:
    "Prints a script for the shell to source. Then Tab completes commands, options, the VMs of this host and, behind " +
    "NAME:/, what is in the guest.",
  examples: [
    [`eval "$(limiquantix-ctl completion bash)"`, "in ~/.bashrc"],
    ["source <(limiquantix-ctl completion zsh)", "in ~/.zshrc, behind compinit"],
    ["limiquantix-ctl completion fish | source", "in ~/.config/fish/config.fish"],
  ],
  completes: shells,
  run(_context, _options, name = "") {
    const shell = shells.find((known) => known === name);
    if (shell === undefined) throw new UsageError(`${name}: only ${shells.join(", ")} can be completed`);
    process.stdout.write(completionScripts[shell]);
    return Promise.resolve(exitCode.ok);
  },
});
