import { type Command, InvalidArgumentError } from "commander";
import type { FreezeOptions } from "../../host/index.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../failure.ts";

/** The agent's own limit. */
const mostSeconds = 600;

export const timeoutOfFreeze = "when the file systems thaw by themselves; 60s unless given, at most 10m";

/** What freeze and with-freeze have in common. */
export interface FreezeCliOptions {
  mount?: string[];
  hooks: boolean;
  hookFolder?: string;
}

export function addFreezeOptions(command: Command): void {
  addMountOption(command, "freeze this mount point only; may be given again");
  command
    .option("--no-hooks", "do not run the guest's hooks")
    .option("--hook-folder <path>", "run those in this folder of the guest");
}

export function addMountOption(command: Command, what: string): void {
  command.option("-m, --mount <path>", what, (path: string, before?: string[]) => {
    if (!path.startsWith("/")) throw new InvalidArgumentError("It must be an absolute path in the guest.");
    return [...(before ?? []), path];
  });
}

/** Throws a UsageError. */
export function freezeOptionsOf(
  context: Context,
  { mount, hooks, hookFolder }: FreezeCliOptions,
): FreezeOptions & { timeoutSeconds?: number } {
  const { timeoutSeconds } = context;
  if (timeoutSeconds !== undefined && timeoutSeconds > mostSeconds) {
    throw new UsageError(`--timeout: file systems stay frozen for 10m at most`);
  }
  return {
    ...(mount && { mountPoints: mount }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds: Math.ceil(timeoutSeconds) }),
    hooks,
    ...(hookFolder !== undefined && { hookFolder }),
  };
}
