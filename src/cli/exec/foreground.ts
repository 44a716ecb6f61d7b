import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { HostError } from "../../host/errors.ts";
import type { ExitStatus, RemoteProcess } from "../../host/index.ts";
import { deferred } from "../../host/waiting.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { type DivertedSignal, exitCodeOfSignal, isGone } from "../interruption.ts";
import { printable } from "../ui/printable.ts";
import { EscapeParser, type Escapes, type Typed, escapeHelp } from "./escape-parser.ts";
import { Input } from "./input.ts";
import { LocalTerminal } from "./local-terminal.ts";

export interface ForegroundOptions {
  /** Standard input goes to the command. */
  input: boolean;
  /** The command has a terminal, and this process's is to be it. */
  terminal: boolean;
  /** On a terminal, what the user can type for us; absent: all of it is the command's. */
  escapes?: Escapes;
  /** The command is not to end with us. */
  kept: boolean;
  /** The limit that the command was started with. */
  timeoutSeconds?: number | undefined;
}

/** Why we stopped following a command. */
type Ending =
  | { how: "exited"; status: ExitStatus }
  /** By "~." */
  | { how: "ended" }
  /** By "~d". */
  | { how: "detached" }
  /** By a signal that is for us and not for the command. */
  | { how: "signalled"; signal: DivertedSignal; killed: boolean }
  | { how: "output-failed"; error: NodeJS.ErrnoException };

/** How long a command may take to be killed until we leave anyway. */
const killSeconds = 2;
/** A second SIGINT within this time is for us. */
const secondSignalMs = 1000;

/**
 * Puts this process in the place of a command in the guest: input, output, signals and the exit code, until the
 * command ends or the user has had enough. Rejects with a HostError when the connection goes.
 */
export async function runInForeground(
  context: Context,
  remote: RemoteProcess,
  options: ForegroundOptions,
): Promise<number> {
  const foreground = new Foreground(context, remote, options);
  const ending = await foreground.follow();
  switch (ending.how) {
    case "exited":
      return exitCodeOf(context, ending.status, options);
    case "ended":
      await kill(remote);
      context.note("the command was ended");
      return leave(exitCodeOfSignal("SIGKILL"));
    case "detached":
      context.note(`detached; ${howToAttach(context, remote)}`);
      return leave(exitCode.ok);
    case "signalled":
      if (ending.killed) await kill(remote);
      return leave(exitCodeOfSignal(ending.signal));
    case "output-failed": {
      // A terminal that has gone is what a command is kept for.
      if (!(options.kept && ending.error.code === "EIO")) await kill(remote);
      // As a local command dies of SIGPIPE, without a word.
      if (isGone(ending.error)) return leave(exitCodeOfSignal("SIGPIPE"));
      context.note(`the command was ended; its output could not be written: ${ending.error.message}`);
      return leave(exitCode.failed);
    }
    default:
      return ending satisfies never;
  }
}

/** How to get back to a kept command. */
export function howToAttach({ target }: Context, { execId, stdin }: RemoteProcess): string {
  const where = target.vm === undefined ? `--socket ${target.socket}` : `--vm ${target.vm}`;
  return `to come back: limiquantix-ctl exec ${where} --attach ${printable(execId)}${stdin ? " -i" : ""}`;
}

class Foreground {
  readonly #context: Context;
  readonly #remote: RemoteProcess;
  readonly #options: ForegroundOptions;
  readonly #early = deferred<Ending>();
  #exited = false;
  #lastInterruptMs = -Infinity;

  constructor(context: Context, remote: RemoteProcess, options: ForegroundOptions) {
    this.#context = context;
    this.#remote = remote;
    this.#options = options;
  }

  async follow(): Promise<Ending> {
    const diversion = this.#context.divert({
      signal: (name) => {
        this.#signal(name);
      },
      outputFailed: (error) => {
        this.#early.resolve({ how: "output-failed", error });
      },
    });
    const local = this.#options.terminal ? new LocalTerminal(this.#resize) : undefined;
    const input = this.#input();
    try {
      const ending = await Promise.race([this.#end(local), this.#early.promise]);
      if (ending.how === "exited") local?.keepModes();
      return ending;
    } finally {
      input?.close();
      local?.close();
      diversion[Symbol.dispose]();
    }
  }

  #input(): Input | undefined {
    const { input, escapes } = this.#options;
    const sink = input ? this.#remote.stdin : null;
    if (escapes && process.stdin.isTTY) return new Input(sink, this.#reader(escapes));
    return input ? new Input(sink) : undefined;
  }

  /** The command's end, when all of its output is written. */
  async #end(local: LocalTerminal | undefined): Promise<Ending> {
    const { stdout, stderr, exit } = this.#remote;
    const ended = exit.finally(() => (this.#exited = true));
    const copies = [
      local
        ? pipeline(stdout, local.follow, process.stdout, { end: false })
        : pipeline(stdout, process.stdout, { end: false }),
      ...(stderr ? [pipeline(stderr, process.stderr, { end: false })] : []),
    ];
    try {
      const [status] = await Promise.all([ended, ...copies]);
      return { how: "exited", status };
    } catch (error) {
      if (isSystemError(error)) return { how: "output-failed", error };
      throw this.#lost(error);
    }
  }

  /** Signals are the command's, but for those that say that we are to leave. */
  #signal(name: DivertedSignal): void {
    const nowMs = performance.now();
    const again = name === "SIGINT" && nowMs - this.#lastInterruptMs < secondSignalMs;
    if (name === "SIGINT") this.#lastInterruptMs = nowMs;
    if (this.#exited) {
      // Only our reader is late.
      this.#early.resolve({ how: "signalled", signal: name, killed: false });
    } else if (again) {
      this.#early.resolve({ how: "signalled", signal: name, killed: true });
    } else if (name === "SIGHUP" && this.#options.kept) {
      // Our terminal has gone, and that is what the command is kept for.
      this.#early.resolve({ how: "signalled", signal: name, killed: false });
    } else {
      this.#remote.signal(name).catch(() => undefined); // it has ended, or `exit` says why it was not heard
    }
  }

  readonly #resize = (): void => {
    this.#remote.resize(LocalTerminal.size).catch(() => undefined); // as above
  };

  #reader(escapes: Escapes): (chunk: Buffer) => readonly Buffer[] {
    const parser = new EscapeParser(escapes);
    return (chunk) => parser.push(chunk).filter((typed) => this.#isForCommand(typed, escapes));
  }

  #isForCommand(typed: Typed, escapes: Escapes): typed is Buffer {
    switch (typed) {
      case "help":
        process.stderr.write(escapeHelp(escapes));
        return false;
      case "end":
        this.#early.resolve({ how: "ended" });
        return false;
      case "detach":
        this.#early.resolve({ how: "detached" });
        return false;
      default:
        return true;
    }
  }

  /** What is said of a lost connection. */
  #lost(error: unknown): unknown {
    if (!(error instanceof HostError)) return error;
    const why = error.message.replace(/^the connection ended: /, "");
    const { kept } = this.#options;
    return new HostError(
      error.code,
      `connection lost: ${why}${kept ? `\nThe command goes on; ${howToAttach(this.#context, this.#remote)}` : ""}`,
      { cause: error },
    );
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && !(error instanceof HostError) && "code" in error;
}

/** Ends the command, as far as the guest lets us. */
async function kill(remote: RemoteProcess): Promise<void> {
  await Promise.race([remote.kill().catch(() => undefined), sleep(killSeconds * 1000)]);
}

/** Ends this process at once: a reader of our output that takes nothing must not keep it alive. */
function leave(code: number): never {
  process.exit(code);
}

function exitCodeOf(context: Context, status: ExitStatus, { timeoutSeconds }: ForegroundOptions): number {
  if (status.timedOut) {
    const limit = timeoutSeconds === undefined ? "its limit" : `${timeoutSeconds} s`;
    context.note(`the command was ended after ${limit}`);
    return exitCode.commandTimedOut;
  }
  return exitCodeOfCommand(status.exitCode);
}

/** The command's, where it is one that a process can have here. */
export function exitCodeOfCommand(code: number): number {
  return code >= 0 && code <= 255 ? code : exitCode.failed;
}
