import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { type DivertedSignal, exitCodeOfSignal } from "../interruption.ts";

/**
 * A command of this host that signals to this process are passed on to, from the making of this until it is disposed of:
 * what is frozen has to be thawed first.
 */
export class HostCommand implements Disposable {
  readonly #context: Context;
  readonly #diversion: Disposable;
  #child: ReturnType<typeof spawn> | undefined;
  #interrupted: DivertedSignal | undefined;

  constructor(context: Context) {
    this.#context = context;
    this.#diversion = context.divert({
      signal: (name) => {
        this.#onSignal(name);
      },
      outputFailed: () => undefined, // the command's own output is not ours
    });
  }

  /** The signal that came, if one did. */
  get interrupted(): DivertedSignal | undefined {
    return this.#interrupted;
  }

  /** Gives its exit code, as a shell has it. Not begun, when a signal came before. Never rejects. */
  run([program = "", ...args]: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
    if (this.#interrupted) return Promise.resolve(exitCodeOfSignal(this.#interrupted));
    return new Promise((resolve) => {
      const output = this.#context.json ? 2 : "inherit"; // standard output is the result's
      const child = spawn(program, args, {
        stdio: ["inherit", output, "inherit"],
        env: { ...process.env, ...env },
      });
      this.#child = child;
      child.once("error", (error: NodeJS.ErrnoException) => {
        this.#context.note(`cannot run ${program}: ${error.message}`);
        resolve(error.code === "ENOENT" ? exitCode.commandNotFound : exitCode.commandNotExecutable);
      });
      child.once("exit", (code, signal) => {
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
  }

  [Symbol.dispose](): void {
    this.#diversion[Symbol.dispose]();
  }

  #onSignal(name: DivertedSignal): void {
    this.#interrupted ??= name;
    // A terminal has sent it to the command already.
    if (process.stdin.isTTY && (name === "SIGINT" || name === "SIGQUIT")) return;
    this.#child?.kill(name);
  }
}
