import type { Response } from "../../wire/operations.ts";
import { maxFrameBytes } from "../../wire/frame.ts";
import { Capture, drained } from "../commands/capture.ts";
import { type Command, exitCodeOf } from "../commands/command.ts";
import { commandFields } from "./command-fields.ts";
import type { Handler, RequestContext } from "../session/handler.ts";

/** What a request without max_output_bytes gets, per stream. */
const defaultOutputBytes = 1024 * 1024;

/** Both streams must fit in one frame with the rest of the answer. */
const largestOutputBytes = maxFrameBytes / 2 - 64 * 1024;

export const execute: Handler<"execute"> = async (request, context) => {
  const { agent, signal } = context;
  const command = await agent.commands.start(
    {
      operation: "execute",
      session: context.streams.sessionName,
      kind: request.args.length === 0 ? "shell" : "program",
      ...commandFields(request),
      streams: request.waitForExit ? { stdin: false } : "none",
    },
    signal,
  );
  if (!request.waitForExit) {
    agent.commands.letGo(command);
    return { exitCode: 0, durationMs: Math.round(command.durationMs) };
  }
  const longestSeconds = agent.config.max_exec_timeout_secs;
  const timeoutSeconds = Math.min(request.timeoutSeconds || longestSeconds, longestSeconds);
  const maxBytes = Math.min(request.maxOutputBytes || defaultOutputBytes, largestOutputBytes);
  return await collect(command, maxBytes, timeoutSeconds * 1000, context);
};

async function collect(
  command: Command,
  maxBytes: number,
  timeoutMs: number,
  { signal }: RequestContext,
): Promise<Response<"execute">> {
  const captures = [command.stdout, command.stderr].flatMap((pipe) =>
    pipe ? [new Capture(pipe, maxBytes)] : [],
  );
  const end = { timedOut: false };
  const deadline = setTimeout(() => {
    end.timedOut = true;
    command.terminate();
  }, timeoutMs);
  const abort = (): void => {
    command.terminate();
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const exit = await command.exited;
    const { durationMs } = command;
    for (const capture of captures) capture.read();
    await drained(captures);
    signal.throwIfAborted();
    const [stdout, stderr] = captures.map((capture) => capture.text());
    return {
      exitCode: end.timedOut ? -1 : exitCodeOf(exit),
      stdout: stdout ?? "",
      stderr: stderr ?? "",
      truncated: captures.some((capture) => capture.truncated),
      timedOut: end.timedOut,
      durationMs: Math.round(durationMs),
    };
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener("abort", abort);
    for (const capture of captures) capture.close();
    command.release();
  }
}
