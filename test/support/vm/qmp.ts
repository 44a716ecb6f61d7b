import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { until } from "../until.ts";
import { connectionTo } from "./connection.ts";

interface QmpMessage {
  id?: number;
  return?: unknown;
  error?: { class: string; desc: string };
  event?: string;
  data?: Record<string, unknown>;
}

/** QEMU's control channel: one JSON value a line. */
export class Qmp {
  readonly #socket: Socket;
  readonly #messages: QmpMessage[] = [];
  #counter = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => this.#messages.push(JSON.parse(line) as QmpMessage));
    for (const source of [socket, lines]) source.on("error", () => undefined); // QEMU ends: its exit is waited for
  }

  static async connect(path: string): Promise<Qmp> {
    const socket = await connectionTo(path);
    const qmp = new Qmp(socket);
    await qmp.execute("qmp_capabilities");
    return qmp;
  }

  async execute(command: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    const id = ++this.#counter;
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters, id })}\n`);
    const answer = await until(
      `QEMU's answer to ${command}`,
      () => this.#messages.find((message) => message.id === id),
      30_000,
    );
    if (answer.error) throw new Error(`QEMU refused ${command}: ${answer.error.desc}`);
    return answer.return;
  }

  /** Waits for an event that has come or comes; each is given once. */
  async event(
    name: string,
    matches: (data: Record<string, unknown>) => boolean = () => true,
    deadlineMs = 30_000,
  ): Promise<void> {
    const index = await until(
      `QEMU's event ${name}`,
      () => {
        const found = this.#messages.findIndex(({ event, data = {} }) => event === name && matches(data));
        return found >= 0 && { found };
      },
      deadlineMs,
    );
    this.#messages.splice(index.found, 1);
  }

  close(): void {
    this.#socket.destroy();
  }
}
