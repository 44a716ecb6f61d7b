import type { Client, SshKey } from "../../host/index.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { printable } from "../ui/printable.ts";
import { keysOf } from "../users/key-operands.ts";

interface SshKeyOptions {
  replace?: boolean;
}

const actions = ["add", "list", "rm"] as const;

export const sshKey = defineCommand<SshKeyOptions>({
  usage: "ssh-key <action> <user> [keys...]",
  summary: "add, list and remove the SSH keys of a user in a VM",
  description:
    "The action is add, list or rm. Keys are public ones: files (of which each line is one), lines of authorized_keys, or - " +
    "for standard input; rm also takes fingerprints (SHA256:…). They are in ~/.ssh/authorized_keys of the user, which is made " +
    "when it is not there. What is there already, or is not there to be removed, is no error.",
  examples: [
    ["limiquantix-ctl ssh-key add --vm web1 root ~/.ssh/id_ed25519.pub", ""],
    [
      "curl -s https://github.com/NAME.keys | limiquantix-ctl ssh-key add --vm web1 alice -",
      "from elsewhere",
    ],
    ["limiquantix-ctl ssh-key add --vm web1 alice 'no-pty ssh-ed25519 AAAA… backup'", "with options"],
    ["limiquantix-ctl ssh-key list --vm web1 alice", ""],
    ["limiquantix-ctl ssh-key rm --vm web1 alice SHA256:…", ""],
  ],
  completes: actions,
  options(command) {
    command.option("--replace", "with add: remove everything else");
  },
  async run(context, { replace = false }, name = "", user = "", ...operands) {
    const action = actions.find((known) => known === name);
    if (action === undefined) throw new UsageError(`${name}: ssh-key can ${actions.join(", ")}`);
    if (replace && action !== "add") throw new UsageError("--replace is for ssh-key add");
    if (action === "list" && operands.length > 0)
      throw new UsageError("ssh-key list takes a user and no keys");
    if (action !== "list" && operands.length === 0) throw new UsageError(`which keys? ${howToGive}`);
    const keys = await keysOf(operands);
    await using client = await context.connect();
    await work[action](context, client, user, keys, replace);
    return exitCode.ok;
  },
});

const howToGive = "Give a file with public keys, a line of authorized_keys, or - for standard input";

type Work = (
  context: Context,
  client: Client,
  user: string,
  keys: string[],
  replace: boolean,
) => Promise<void>;

const work: Record<(typeof actions)[number], Work> = {
  async add(context, { users }, user, keys, replace) {
    const { added } = await users.addSshKeys(user, keys, { replace, ...context.call });
    if (context.json) context.printJson({ user, added });
    else context.print(`${added} added, ${keys.length - added} there already`);
  },
  async rm(context, { users }, user, keys) {
    const { removed } = await users.removeSshKeys(user, keys, context.call);
    if (context.json) context.printJson({ user, removed });
    else context.print(`${removed} removed`);
  },
  async list(context, { users }, user) {
    const keys = await users.sshKeys(user, context.call);
    if (context.json) context.printJson(keys);
    else if (keys.length > 0) await show(context, keys);
  },
};

async function show(context: Context, keys: readonly SshKey[]): Promise<void> {
  const { table } = await import("../ui/table.ts");
  const rows = keys.map(({ type, fingerprint, comment, options, line }) =>
    (type === "" ? ["?", "", line, ""] : [type, fingerprint, comment, options]).map(printable),
  );
  const columns = ["TYPE", "FINGERPRINT", "COMMENT", "OPTIONS"].map((title) => ({ title }));
  for (const line of table(columns, rows)) context.print(line);
}
