import { agentError } from "../errors.ts";
import { defaultTimeoutSeconds } from "../calls.ts";
import type { Session } from "../session.ts";
import { type CommandOptions, commandFields, largestUint32, whole } from "./options.ts";

export interface ExecuteOptions extends CommandOptions {
  /** For each of the two streams; the agent's 1 MiB unless given. */
  maxOutputBytes?: number | undefined;
  /** Do not wait for its end: it goes on in the guest, and its output is discarded. */
  detach?: boolean | undefined;
}

export interface ExecuteResult {
  /** 128 + n after death by signal n; -1 when it timed out. */
  exitCode: number;
  /** What is no UTF-8 in it has been replaced. */
  stdout: string;
  stderr: string;
  /** There was more output than maxOutputBytes. */
  truncated: boolean;
  /** It was ended at its limit; the output is what came until then. */
  timedOut: boolean;
  durationMs: number;
}

/** How much longer than the command's own limit its answer may take: it is ended in steps, and its output fetched. */
const graceSeconds = 30;

/** See Client.execute(). */
export async function execute(session: Session, options: ExecuteOptions): Promise<ExecuteResult> {
  const { signal, detach = false, maxOutputBytes = 0 } = options;
  // Only a terminal makes sense of none: then it is the user's shell.
  if (!options.command) throw new TypeError('there is no command; give one as in { command: "uname -a" }');
  const fields = {
    ...commandFields(options),
    waitForExit: !detach,
    maxOutputBytes: whole("maxOutputBytes", maxOutputBytes, 0, largestUint32),
  };
  const timeoutSeconds = answerLimit(detach, fields.timeoutSeconds);
  const response = await session.request("execute", fields, { signal, timeoutSeconds, cancel: true });
  if (response.error) throw agentError(response.error);
  const { exitCode, stdout, stderr, truncated, timedOut, durationMs } = response;
  return { exitCode, stdout, stderr, truncated, timedOut, durationMs };
}

/** The agent's own limit is up to its configuration: without a limit of the command there is none for its answer. */
function answerLimit(detach: boolean, commandSeconds: number): number {
  if (detach) return defaultTimeoutSeconds;
  return commandSeconds === 0 ? Infinity : commandSeconds + graceSeconds;
}
