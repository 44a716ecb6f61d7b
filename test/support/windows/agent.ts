import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, type Socket, createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { until } from "../until.ts";
import { bundleFor } from "./bundle.ts";
import { type Wine, type WineProcess, windowsPath } from "./wine.ts";

/** What the agent is built to; npm test builds it before any suite. */
const program = "dist/bin/agent.cjs";

/** The real agent, run by node.exe. */
export class WindowsAgent implements AsyncDisposable {
  readonly #process: WineProcess;
  readonly #control: Promise<Socket>;
  #ended: { code: number | null } | undefined;

  private constructor(process: WineProcess, control: Promise<Socket>) {
    this.#process = process;
    this.#control = control;
    void process.ended.then((ended) => (this.#ended = ended));
  }

  /** `config` is YAML; what it remembers is below `wine.folder`. */
  static async start(
    wine: Wine,
    { port = "auto", config = "", args = [] as string[] } = {},
  ): Promise<WindowsAgent> {
    const folder = path.join(wine.folder, "agent");
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, "agent.yaml");
    writeFileSync(file, `state_dir: ${windowsPath(path.join(folder, "state"))}\n${config}`);
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const control = once(server, "connection").then(([socket]) => {
      server.close();
      return socket as Socket;
    });
    const { port: controlPort } = server.address() as AddressInfo;
    const started = wine.start(wine.node, [
      await bundleFor(wine, "test/windows/inside/agent-run.ts"),
      String(controlPort),
      windowsPath(program),
      ...["--config", windowsPath(file), "--port", port],
      ...args,
    ]);
    return new WindowsAgent(started, control);
  }

  get log(): string {
    return this.#process.stderr;
  }

  /** Waits for a log line with this text. */
  async logged(text: string, deadlineMs = 20_000): Promise<void> {
    await until(
      `the log line "${text}"`,
      () => {
        if (this.log.includes(text)) return true;
        if (this.#ended) throw new Error(`the agent ended with ${this.#ended.code}:\n${this.log}`);
        return false;
      },
      deadlineMs,
    );
  }

  /** Milliseconds of CPU time that it has had. */
  async cpuMs(): Promise<number> {
    const socket = await this.#control;
    const lines = createInterface(socket);
    const answer = once(lines, "line") as Promise<[string]>;
    socket.write("cpu\n");
    const [line] = await answer;
    lines.close();
    socket.resume();
    return Number(line) / 1000;
  }

  /** Ctrl+C; gives the exit code and how long it took. */
  async stop(): Promise<{ code: number | null; ms: number }> {
    const socket = await this.#control;
    const before = performance.now();
    socket.write("stop\n");
    const { code } = await this.#process.ended;
    socket.destroy();
    return { code, ms: performance.now() - before };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#process.kill();
    (await this.#control).destroy();
  }
}
