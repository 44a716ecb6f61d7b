import { defineCommand } from "../command.ts";
import { howToAttach, runInForeground } from "../exec/foreground.ts";
import { UsageError } from "../failure.ts";
import { addVariable, requireTerminal, withTerminal } from "./exec.ts";

interface ShellOptions {
  user: string;
  env?: Record<string, string>;
  workdir?: string;
  keep?: boolean;
}

export const shell = defineCommand<ShellOptions>({
  usage: "shell",
  summary: "log in to a VM",
  description:
    "Opens the user's login shell in the guest, on this terminal. The exit code is the shell's.\n\n" +
    "Escapes, at the start of a line: ~. ends it, ~? shows them, ~~ is a tilde, and with --keep ~d leaves it " +
    'running for a later "limiquantix-ctl exec --attach ID -i".',
  examples: [
    ["limiquantix-ctl shell --vm web1", "as root"],
    ["limiquantix-ctl shell --vm web1 -u deploy -w /srv", ""],
    ["limiquantix-ctl shell --vm web1 --keep", "goes on when the connection is lost"],
  ],
  timeout: "how long to wait for the agent",
  options(command) {
    command
      .option("-u, --user <name>", "the user of the guest, by name or number", "root")
      .option("-e, --env <name=value>", "add this to its environment; may be given again", addVariable)
      .option("-w, --workdir <folder>", "begin in this folder; the user's home unless given")
      .option("--keep", "let it go on when the connection, or this program, goes away");
  },
  async run(context, { user, env = {}, workdir, keep = false }) {
    if (context.json) throw new UsageError("a shell has no --json; see limiquantix-ctl exec --json");
    requireTerminal();
    await using client = await context.connect();
    const remote = await client.spawn({
      command: "",
      login: true,
      user,
      ...(workdir !== undefined && { cwd: workdir }),
      ...withTerminal({ env }),
      onDisconnect: keep ? "keep" : "kill",
      signal: context.signal,
    });
    if (keep) context.note(`kept in the guest; ${howToAttach(context, remote)}`);
    return await runInForeground(context, remote, {
      input: true,
      terminal: true,
      kept: keep,
      escapes: { detach: keep },
    });
  },
});
