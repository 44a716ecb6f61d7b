import { giveToStream } from "../../native/streams.ts";
import { CodedError, type ErrorCode } from "../../wire/errors.ts";
import { Capture, drained } from "../commands/capture.ts";
import { type Command, exitCodeOf } from "../commands/command.ts";
import type { Commands } from "../commands/commands.ts";

/** How long a tool may run unless told otherwise. */
const defaultTimeoutSeconds = 30;

/** Kept of each of a tool's outputs. */
const maxOutputBytes = 256 * 1024;

/** What a pipe takes without a reader (pipe(7)). */
const maxInputBytes = 65_536;

export interface ToolOptions {
  /** Its standard input, at most 65,536 bytes; secrets go this way. Without, it is empty. */
  input?: Uint8Array;
  /** Then it is ended, with all that it has started. 30 unless given. */
  timeoutSeconds?: number;
  /** Ends it too. */
  signal?: AbortSignal;
  /** Besides PATH, HOME=/root and LC_ALL=C. */
  environment?: Readonly<Record<string, string>>;
  /** "/" unless given. */
  workingDirectory?: string;
  /** Kept of each output; 262,144 unless given. */
  maxOutputBytes?: number;
}

export interface ToolResult {
  /** 128+n after death by signal n. */
  exitCode: number;
  /** It was ended because it took too long. */
  timedOut: boolean;
  /** There was more output than was kept. */
  truncated: boolean;
  stdout: string;
  stderr: string;
  durationMs: number;
}

/** The guest has no such program. */
export class ToolMissing extends Error {
  constructor(readonly tool: string) {
    super(`this guest has no ${tool}`);
  }
}

/**
 * Programs of the guest's system that the agent needs for its own work, run as itself. The policy of commands, which is
 * about what hosts ask for, is not asked.
 */
export class Tools {
  readonly #commands: Commands;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  /** Runs a program, by its path or its name in root's PATH, whatever its exit code is. Rejects with ToolMissing, or as the signal says. */
  async run(program: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
    const { input, signal = new AbortController().signal } = options;
    if (input && input.length > maxInputBytes)
      throw new RangeError(`${program}: input of ${input.length} bytes`);
    const command = await this.#start(program, args, options, signal);
    const captures = [command.stdout, command.stderr].flatMap((pipe) =>
      pipe ? [new Capture(pipe, options.maxOutputBytes ?? maxOutputBytes)] : [],
    );
    const end = { timedOut: false };
    const onAbort = (): void => {
      command.terminate();
    };
    const deadline = setTimeout(
      () => {
        end.timedOut = true;
        command.terminate();
      },
      (options.timeoutSeconds ?? defaultTimeoutSeconds) * 1000,
    );
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      if (command.stdin >= 0) giveToStream(command.stdin, input ?? new Uint8Array());
      const exit = await command.exited;
      const { durationMs } = command;
      for (const capture of captures) capture.read();
      await drained(captures);
      signal.throwIfAborted();
      const [stdout = "", stderr = ""] = captures.map((capture) => capture.text());
      const truncated = captures.some((capture) => capture.truncated);
      return {
        exitCode: exitCodeOf(exit),
        ...end,
        truncated,
        stdout,
        stderr,
        durationMs: Math.round(durationMs),
      };
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener("abort", onAbort);
      for (const capture of captures) capture.close();
      command.release();
    }
  }

  /** As run(), for what must succeed; gives its standard output. Rejects with a CodedError `code` that says what the tool said. */
  async expect(
    code: ErrorCode,
    program: string,
    args: readonly string[],
    options: ToolOptions = {},
  ): Promise<string> {
    let result: ToolResult;
    try {
      result = await this.run(program, args, options);
    } catch (cause) {
      if (cause instanceof ToolMissing) throw new CodedError(code, cause.message, { cause });
      throw cause;
    }
    if (result.exitCode === 0 && !result.timedOut) return result.stdout;
    throw new CodedError(code, failureText(program, result));
  }

  async #start(
    program: string,
    args: readonly string[],
    options: ToolOptions,
    signal: AbortSignal,
  ): Promise<Command> {
    try {
      return await this.#commands.startTool(program, args, options, signal);
    } catch (error) {
      if (error instanceof CodedError && error.code === "commandNotFound") throw new ToolMissing(program);
      throw error;
    }
  }
}

/** "netplan failed (exit code 1): …", with the end of what it said. */
export function failureText(
  program: string,
  { exitCode, timedOut, stdout, stderr, durationMs }: ToolResult,
): string {
  const said = (stderr.trim() || stdout.trim()).slice(-1000);
  const how = timedOut
    ? `did not end within ${Math.round(durationMs / 1000)} s`
    : `failed (exit code ${exitCode})`;
  return `${program} ${how}${said === "" ? "" : `: ${said}`}`;
}
