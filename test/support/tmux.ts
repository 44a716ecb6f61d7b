import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { until } from "./until.ts";

const run = promisify(execFile);
let serversStarted = 0;

export interface TerminalOptions {
  columns: number;
  rows: number;
  /** For /bin/sh. */
  script: string;
  env: Record<string, string>;
}

/** A real terminal without a window: tmux, with a server of its own. */
export class Terminal {
  readonly #server = `limiquantix-test-${process.pid}-${++serversStarted}`;

  static async open({ columns, rows, script, env }: TerminalOptions): Promise<Terminal> {
    const terminal = new Terminal();
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const size = ["-x", String(columns), "-y", String(rows)];
    await terminal.#tmux(
      "new-session",
      "-d",
      ...size,
      "env",
      "-i",
      "TERM=screen",
      ...variables,
      "/bin/sh",
      "-c",
      script,
    );
    return terminal;
  }

  /** What it shows, without colours. */
  async screen(): Promise<string> {
    return await this.#tmux("capture-pane", "-p");
  }

  /** Waits until the screen matches, and gives it. */
  async shows(pattern: RegExp, deadlineMs?: number): Promise<string> {
    let last = "";
    try {
      const matching = async (): Promise<string | false> => {
        last = await this.screen();
        return pattern.test(last) && last;
      };
      return await until(`the terminal shows ${String(pattern)}`, matching, deadlineMs);
    } catch (error) {
      throw new Error(`${(error as Error).message}\nIt shows:\n${last}`, { cause: error });
    }
  }

  /** Types keys by tmux's names: "q", "C-c", "Enter". */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Types a text as it is, control characters included. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-H", ...[...Buffer.from(text)].map((byte) => byte.toString(16)));
  }

  /** Sends a signal to the program that the shell of the script runs. */
  async signalProgram(signal: NodeJS.Signals): Promise<void> {
    const shell = (await this.#tmux("display-message", "-p", "#{pane_pid}")).trim();
    const [child = ""] = readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8").split(" ");
    process.kill(Number(child), signal);
  }

  /** Its settings, as `stty -g` has them. */
  async settings(): Promise<string> {
    const tty = (await this.#tmux("display-message", "-p", "#{pane_tty}")).trim();
    return (await run("stty", ["-g", "-F", tty])).stdout;
  }

  /** What a program can leave behind on it. */
  async flags(): Promise<string> {
    const format = "cursor=#{cursor_flag} alternate=#{alternate_on} mouse=#{mouse_any_flag}";
    return (await this.#tmux("display-message", "-p", format)).trim();
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => undefined); // gone with its last program
  }

  async #tmux(...args: string[]): Promise<string> {
    const { stdout } = await run("tmux", ["-u", "-L", this.#server, "-f", "/dev/null", ...args], {
      env: { ...process.env, TMUX: "" },
    });
    return stdout;
  }
}
