import type { Server } from "node:net";
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Client, connect } from "../../../src/host/index.ts";
import { WindowsTerminal, serveTerminal } from "./terminal.ts";
import { Wine, type WineProcess, windowsPath } from "./wine.ts";

/** Node.js under Wine takes its time, on a machine that has other work too. */
const startSeconds = 60;

/** The whole agent, as it is shipped, in a Windows of its own; its port is a UNIX socket here. */
export class WindowsGuest implements AsyncDisposable {
  readonly wine: Wine;
  readonly socket: string;
  readonly #terminal: WindowsTerminal;
  readonly #server: Server;
  readonly #program: string;
  #running: WineProcess;

  private constructor(
    wine: Wine,
    terminal: WindowsTerminal,
    server: Server,
    socket: string,
    program: string,
  ) {
    this.wine = wine;
    this.socket = socket;
    this.#terminal = terminal;
    this.#server = server;
    this.#program = program;
    this.#running = this.#start();
  }

  static async start(config: Readonly<Record<string, unknown>> = {}): Promise<WindowsGuest> {
    const wine = await Wine.open();
    const folder = path.join(wine.folder, "agent");
    mkdirSync(path.join(folder, "prebuilds/win32-x64"), { recursive: true });
    cpSync("dist/bin", path.join(folder, "bin"), { recursive: true });
    const addon = "prebuilds/win32-x64/limiquantix.node";
    copyFileSync(addon, path.join(folder, addon));
    writeFileSync(path.join(folder, "agent.yaml"), JSON.stringify(config));
    const terminal = new WindowsTerminal(wine, "org.limiquantix.agent.0");
    const socket = path.join(wine.folder, "host.sock");
    const server = await serveTerminal(terminal, socket);
    return new WindowsGuest(wine, terminal, server, socket, folder);
  }

  #start(): WineProcess {
    return this.wine.start(this.wine.node, [
      windowsPath(path.join(this.#program, "bin/agent.cjs")),
      "--config",
      windowsPath(path.join(this.#program, "agent.yaml")),
    ]);
  }

  async connect(): Promise<Client> {
    return await connect({ socket: this.socket, timeoutSeconds: startSeconds });
  }

  /** What it has logged. */
  get log(): string {
    return this.#running.stderr;
  }

  /** As when Windows ends it, and the service manager starts it again. */
  async killAndStart(): Promise<void> {
    this.#running.kill();
    await this.#running.ended;
    this.#running = this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.kill();
    this.#server.close();
    this.#terminal.close();
    await this.wine[Symbol.asyncDispose]();
  }
}
