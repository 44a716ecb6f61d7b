import type { Server } from "node:net";
import path from "node:path";
import { writeFileSync } from "node:fs";
import { type Client, connect } from "../../../src/host/index.ts";
import { bundleFor } from "./bundle.ts";
import { WindowsTerminal, serveTerminal } from "./terminal.ts";
import { Wine, type WineProcess, windowsPath } from "./wine.ts";

const device = "org.limiquantix.agent.0";

/** The whole agent on its device, in a Windows of its own. */
export class AgentOnDevice implements AsyncDisposable {
  private constructor(
    readonly wine: Wine,
    readonly socket: string,
    readonly process: WineProcess,
    readonly terminal: WindowsTerminal,
    readonly server: Server,
  ) {}

  /** With a config file of this text. */
  static async start(config = ""): Promise<AgentOnDevice> {
    const wine = await Wine.open();
    const terminal = new WindowsTerminal(wine, device);
    const socket = path.join(wine.folder, "host.sock");
    const server = await serveTerminal(terminal, socket);
    const program = await bundleFor(wine, "src/cli/agent.ts");
    const file = path.join(wine.folder, "agent.yaml");
    writeFileSync(file, `device_path: \\\\.\\Global\\${device}\n${config}`);
    const running = wine.start(wine.node, [program, "--config", windowsPath(file)]);
    return new AgentOnDevice(wine, socket, running, terminal, server);
  }

  /** The caller closes it. */
  async connect(): Promise<Client> {
    return await connect({ socket: this.socket, timeoutSeconds: 30 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    await this.wine[Symbol.asyncDispose]();
    this.terminal.close();
  }
}
