import type { Client } from "../../host/index.ts";
import { HostError } from "../../host/errors.ts";
import type { Context } from "../context.ts";
import { Deadline } from "../deadline.ts";
import { exitCode } from "../exit-codes.ts";
import { forPrograms, toFailure } from "../failure.ts";
import type { GuestPlace } from "./place.ts";

/** The files of one guest, for one command. */
export interface Guest {
  context: Context;
  files: Client["files"];
  /** Aborted by what ends this process, and at --timeout. */
  signal: AbortSignal;
}

/** What --timeout is for commands that work with files. */
export const timeoutOfFiles = "when to give up; no limit unless given";

/** Connects to that VM, or the usual one, and gives what `body` gives. Rejects with "timed-out" at --timeout. */
export async function inGuest<T>(
  context: Context,
  vm: string | undefined,
  body: (guest: Guest) => Promise<T>,
): Promise<T> {
  const named = context.inVm(vm);
  return await withinLimit(named, async (signal) => {
    await using client = await named.connect();
    return await body({ context: named, files: client.files, signal });
  });
}

async function withinLimit<T>(
  { signal, timeoutSeconds }: Context,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (timeoutSeconds === undefined) return await body(signal);
  using deadline = new Deadline(timeoutSeconds, signal);
  try {
    return await body(deadline.signal);
  } catch (cause) {
    if (!deadline.passed) throw cause;
    throw new HostError("timed-out", `given up after ${timeoutSeconds} s`, { cause });
  }
}

/**
 * Does something with each place, the others too when one fails, and gives the exit code: that of the last failure. What
 * concerns more than one place, such as a lost connection, is thrown.
 */
export async function forEachPlace(
  { context }: Pick<Guest, "context">,
  places: readonly GuestPlace[],
  body: (path: string) => Promise<void>,
): Promise<number> {
  let code: number = exitCode.ok;
  for (const { path } of places) {
    try {
      await onPath(path, () => body(path));
    } catch (error) {
      if (!isOfOneFile(error)) throw error;
      code = reportFailure(context, error, { path });
    }
  }
  return code;
}

/** Tells of the failure of one of many, and gives its exit code. */
export function reportFailure(context: Context, error: unknown, subject: object): number {
  const failure = toFailure(error);
  context.note(failure.message);
  if (context.json) context.printJson({ ...subject, error: forPrograms(failure) });
  return failure.exitCode;
}

/** Whether the next file may go better. */
export function isOfOneFile(error: unknown): boolean {
  return error instanceof HostError && (error.code === "agent-error" || error.code === "local-file");
}

export function hasAgentCode(error: unknown, ...codes: readonly string[]): error is HostError {
  return error instanceof HostError && error.agentCode !== undefined && codes.includes(error.agentCode);
}

/** Gives what `body` gives; what the agent says without the path is told with it. */
export async function onPath<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    if (!(cause instanceof HostError) || cause.code !== "agent-error" || cause.message.includes(path))
      throw cause;
    const { agentCode } = cause;
    throw new HostError(cause.code, `${path}: ${cause.message}`, {
      cause,
      ...(agentCode !== undefined && { agentCode }),
    });
  }
}
