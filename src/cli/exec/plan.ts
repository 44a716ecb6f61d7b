import type { ExecuteOptions, SpawnOptions } from "../../host/index.ts";
import { UsageError } from "../failure.ts";

/** The options of `exec`, as commander gives them. */
export interface ExecOptions {
  user?: string;
  group?: string;
  env?: Readonly<Record<string, string>>;
  workdir?: string;
  stdin?: boolean;
  terminal?: boolean;
  shell?: boolean;
  keep?: boolean;
  list?: boolean;
  attach?: string;
}

/** What a command line of `exec` asks for. */
export type Plan =
  | { action: "list" }
  | { action: "attach"; execId: string; input: boolean }
  /** One answer at the end. */
  | { action: "execute"; options: ExecuteOptions }
  /** Streams; with `terminal` one of the size that ours has. */
  | { action: "spawn"; options: SpawnOptions; input: boolean; terminal: boolean; kept: boolean };

/** Throws a UsageError for what makes no sense together. */
export function planOf(
  options: ExecOptions & { json?: boolean; timeout?: number },
  operands: readonly string[],
): Plan {
  const {
    list = false,
    attach,
    json = false,
    terminal = false,
    stdin: input = false,
    keep = false,
  } = options;
  if (list) {
    refuse(options, ["attach", ...startOptions], "--list");
    if (operands.length > 0) throw new UsageError("--list takes no command");
    return { action: "list" };
  }
  if (attach !== undefined) {
    refuse(
      options,
      startOptions.filter((name) => name !== "stdin"),
      "--attach",
    );
    if (operands.length > 0) throw new UsageError("--attach takes no command: it runs already");
    if (json) throw new UsageError("--attach and --json do not go together: output comes as it is");
    return { action: "attach", execId: attach, input };
  }
  if (json) {
    refuse(options, ["stdin", "terminal", "keep"], "--json");
    return { action: "execute", options: executeOptions(options, operands) };
  }
  const [command, args] = commandOf(options, operands);
  return {
    action: "spawn",
    options: {
      command,
      ...(args.length > 0 && { args }),
      ...settings(options),
      ...(options.shell && { shell: true }),
      stdin: input || terminal,
      onDisconnect: keep ? "keep" : "kill",
    },
    input: input || terminal,
    terminal,
    kept: keep,
  };
}

const startOptions = ["user", "group", "env", "workdir", "stdin", "terminal", "shell", "keep"] as const;

function refuse(options: ExecOptions, names: readonly (keyof ExecOptions)[], beside: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given !== undefined) throw new UsageError(`${beside} and --${given} do not go together`);
}

function commandOf({ shell }: ExecOptions, operands: readonly string[]): [string, readonly string[]] {
  const [command, ...args] = operands;
  if (command === undefined)
    throw new UsageError("which command? Give it behind the options, or --list or --attach ID");
  if (command === "") throw new UsageError("the command is empty");
  return shell ? [operands.join(" "), []] : [command, args];
}

/** Of these the protocol says: without arguments a command is a line for the shell. */
function executeOptions(
  options: ExecOptions & { timeout?: number },
  operands: readonly string[],
): ExecuteOptions {
  const [command, args] = commandOf(options, operands);
  if (args.length > 0) return { command, args, ...settings(options) };
  return { command: options.shell ? command : `exec ${quoted(command)}`, ...settings(options) };
}

function settings({
  user,
  group,
  env,
  workdir,
  timeout,
}: ExecOptions & { timeout?: number }): Partial<SpawnOptions> {
  return {
    ...(user !== undefined && { user }),
    ...(group !== undefined && { group }),
    ...(env !== undefined && { env }),
    ...(workdir !== undefined && { cwd: workdir }),
    // The guest counts whole ones.
    ...(timeout !== undefined && { timeoutSeconds: Math.ceil(timeout) }),
  };
}

/** A word for a POSIX shell, whatever is in it. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
