import type { RequestFields } from "../../wire/operations.ts";

/** What every way to run a command takes. */
export interface CommandOptions {
  command: string;
  /** Passed as they are. */
  args?: readonly string[] | undefined;
  /** The user's home unless given. */
  cwd?: string | undefined;
  /** Added to the user's environment. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Name or number; the agent's own user unless given. */
  user?: string | number | undefined;
  /** Name or number; the user's primary group unless given. */
  group?: string | number | undefined;
  /** The user's other groups too, as a login gives them; true unless given. */
  supplementaryGroups?: boolean | undefined;
  /** After so many seconds the guest ends the command; a part of a second counts as a whole one. */
  timeoutSeconds?: number | undefined;
  /** Ends the command, wherever it is. */
  signal?: AbortSignal | undefined;
}

/** The window of a terminal, in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** Fields that execute and exec_start have in common. Throws RangeError for a limit that cannot be sent. */
export function commandFields({
  command,
  args = [],
  cwd = "",
  env = {},
  user = "",
  group = "",
  supplementaryGroups = true,
  timeoutSeconds = 0,
}: CommandOptions) {
  return {
    command,
    args: [...args],
    workingDirectory: cwd,
    environment: { ...env },
    runAsUser: String(user),
    runAsGroup: String(group),
    includeSupplementaryGroups: supplementaryGroups,
    timeoutSeconds: whole("timeoutSeconds", Math.ceil(timeoutSeconds), 0, largestUint32),
  } satisfies RequestFields<"execute"> & RequestFields<"execStart">;
}

export const largestUint32 = 2 ** 32 - 1;

/** Gives `value`; throws RangeError unless it is a whole number from `least` to `most`. */
export function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

export function terminalFields({ columns, rows }: TerminalSize): TerminalSize {
  return {
    columns: whole("columns", columns, 0, largestUint32),
    rows: whole("rows", rows, 0, largestUint32),
  };
}
