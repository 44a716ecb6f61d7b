import { defineCommand } from "../command.ts";
import { exitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { HiddenInput } from "../users/hidden-input.ts";
import { standardInput } from "../users/standard-input.ts";

interface PasswdOptions {
  stdin?: boolean;
  expire?: boolean;
  hashed?: boolean;
}

/** More than any login takes; the agent knows the exact limit. */
const mostBytes = 4096;

export const passwd = defineCommand<PasswdOptions>({
  usage: "passwd <user>",
  summary: "set the password of a user in a VM",
  description:
    "Asks for the password twice, without showing it. With --stdin it is the one line of standard input; it is never an " +
    "argument, which others could see. The user must be one of the guest itself, not of a directory.",
  examples: [
    ["limiquantix-ctl passwd --vm web1 root", ""],
    ["limiquantix-ctl passwd --vm web1 --expire alice", "who then has to choose another"],
    ["pass show web1 | limiquantix-ctl passwd --vm web1 --stdin root", "from a program"],
    ["mkpasswd -m yescrypt | limiquantix-ctl passwd --vm web1 --hashed --stdin root", "a hash of it"],
  ],
  timeout: "how long to wait; a minute unless given",
  options(command) {
    command
      .option("--stdin", "read it from standard input")
      .option("--expire", "the user must choose another at the next login")
      .option("--hashed", "it is a hash of crypt(5): $y$…, $6$…, $5$… or $2b$…");
  },
  async run(context, { stdin = false, expire = false, hashed = false }, user = "") {
    const { targetName, signal } = context; // without one nobody should have to type
    const password = stdin
      ? await oneLine()
      : await ask(`${hashed ? "hash of the new password" : "new password"} of ${user} in ${targetName}`, {
          hashed,
          signal,
        });
    await using client = await context.connect();
    await client.users.setPassword(user, password, { expire, hashed, ...context.call });
    if (context.json) context.printJson({ user, expire });
    return exitCode.ok;
  },
});

async function oneLine(): Promise<string> {
  if (process.stdin.isTTY) throw new UsageError("--stdin is for a pipe or a file; leave it out to be asked");
  const text = (await standardInput(mostBytes)).replace(/\r?\n$/, "");
  if (text === "") throw new UsageError("standard input is empty; it should have the password");
  if (/[\r\n]/.test(text)) throw new UsageError("standard input has more than one line");
  return text;
}

async function ask(
  what: string,
  { hashed, signal }: { hashed: boolean; signal: AbortSignal },
): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new UsageError(
      "standard input is no terminal to ask at; with --stdin the password is read from it",
    );
  }
  using input = new HiddenInput(signal);
  const first = await input.ask(`The ${what}: `);
  if (first === "") throw new UsageError("no password was given; nothing was changed");
  // A hash that was mistyped is none.
  if (!hashed && (await input.ask("The same again: ")) !== first)
    throw new UsageError("these are two different passwords; nothing was changed");
  return first;
}
