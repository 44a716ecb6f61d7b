import { spawnSync } from "node:child_process";
import { TerminalModes } from "./terminal-modes.ts";

export interface TerminalSize {
  columns: number;
  rows: number;
}

/**
 * This process's terminal in raw mode, for a command with a terminal of its own in the guest. However the process
 * ends, short of SIGKILL, the terminal is given back as it was.
 */
export class LocalTerminal {
  readonly #modes = new TerminalModes();
  readonly #onResize: () => void;
  #open = false;
  #undoModes = true;

  constructor(onResize: () => void) {
    this.#onResize = onResize;
    process.on("exit", this.#leave);
    process.on("uncaughtExceptionMonitor", this.#leave);
    process.on("SIGTSTP", this.#stop);
    process.on("SIGCONT", this.#enter);
    process.stdout.on("resize", this.#onResize);
    this.#enter();
  }

  /** Whether there is one. */
  static get isThere(): boolean {
    return process.stdin.isTTY && process.stdout.isTTY;
  }

  static get size(): TerminalSize {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  }

  /** Passes output through, and remembers what it makes of the terminal. */
  readonly follow = async function* (
    this: LocalTerminal,
    output: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of output) {
      this.#modes.follow(chunk);
      yield chunk;
    }
  }.bind(this);

  /** The command has ended by itself: what it made of the terminal is meant to stay. */
  keepModes(): void {
    this.#undoModes = false;
  }

  /** Idempotent. */
  close(): void {
    process.off("exit", this.#leave);
    process.off("uncaughtExceptionMonitor", this.#leave);
    process.off("SIGTSTP", this.#stop);
    process.off("SIGCONT", this.#enter);
    process.stdout.off("resize", this.#onResize);
    this.#leave();
  }

  /** Also when somebody has continued a stopped process: the shell has used the terminal meanwhile. */
  readonly #enter = (): void => {
    // Node does nothing when it believes that the terminal is raw already.
    if (this.#open) process.stdin.setRawMode(false);
    process.stdin.setRawMode(true);
    // Node's raw mode still makes CR LF of each LF. The guest's terminal has done that, where it was wanted.
    spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
    this.#open = true;
    this.#onResize();
  };

  readonly #leave = (): void => {
    if (!this.#open) return;
    this.#open = false;
    process.stdin.setRawMode(false);
    if (this.#undoModes) process.stdout.write(this.#modes.undo());
  };

  /** Ctrl-Z goes to the guest; this is for a stop that somebody else asks for. */
  readonly #stop = (): void => {
    this.#leave();
    process.kill(process.pid, "SIGSTOP");
  };
}
