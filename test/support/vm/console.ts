import type { Socket } from "node:net";
import { until } from "../until.ts";
import { connectionTo } from "./connection.ts";

/** What a new shell says; no base64 has a line of this length. */
const greeting = /^READY\r?\n/m;

export interface CommandResult {
  stdout: string;
  exitCode: number;
}

/** The guest's shell on its first serial line; see console.sh for what goes over it. */
export class Console {
  readonly #socket: Socket;
  #text = "";
  #last: Promise<unknown> = Promise.resolve();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (data: Buffer) => (this.#text += data.toString("latin1")));
    socket.on("error", () => undefined); // the guest ends
  }

  static async connect(path: string): Promise<Console> {
    const socket = await connectionTo(path);
    return new Console(socket);
  }

  /** Waits for the shell of a guest that boots; what runs in an earlier one is given up. */
  async ready(deadlineMs: number): Promise<void> {
    await until("the guest's shell", () => greeting.test(this.#text), deadlineMs);
    await this.#last;
    this.#text = "";
  }

  /** Runs a command; both its outputs are in stdout. One after the other. */
  run(command: string, timeoutSeconds: number): Promise<CommandResult> {
    const result = this.#last.then(() => this.#run(command, timeoutSeconds));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #run(command: string, timeoutSeconds: number): Promise<CommandResult> {
    this.#text = "";
    this.#socket.write(`${Buffer.from(command).toString("base64")}\n`);
    const [, output = "", code = ""] = await until(
      `the guest to run: ${command}`,
      () => {
        const answer = /^([\s\S]*?)EXIT (\d+)\r?\n/.exec(this.#text);
        if (!answer && greeting.test(this.#text)) throw new Error(`the guest booted instead of: ${command}`);
        return answer ?? undefined;
      },
      timeoutSeconds * 1000,
    );
    return { stdout: Buffer.from(output, "base64").toString(), exitCode: Number(code) };
  }

  close(): void {
    this.#socket.destroy();
  }
}
