import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach } from "node:test";
import { finished } from "./ctl.ts";
import { FakeAgent, type FakeAgentOptions } from "./fake-agent.ts";

/** A folder for the sockets of one test, and what serves them; gone after each test of this file. */
export class Sockets {
  /** Other users may look into it. */
  folder = "";
  readonly #agents: FakeAgent[] = [];

  constructor() {
    beforeEach(() => {
      this.folder = mkdtempSync(path.join(tmpdir(), "ctl-test-"));
      chmodSync(this.folder, 0o755);
    });
    afterEach(async () => {
      await this.closeAll();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Where serve() serves. */
  get path(): string {
    return path.join(this.folder, "agent.sock");
  }

  serve(options?: FakeAgentOptions): Promise<FakeAgent> {
    return this.serveAt(this.path, options);
  }

  /** Ends what serves. */
  async closeAll(): Promise<void> {
    await Promise.all(this.#agents.splice(0).map((agent) => agent.close()));
  }

  async serveAt(socket: string, options?: FakeAgentOptions): Promise<FakeAgent> {
    const agent = await FakeAgent.listen(socket, options);
    this.#agents.push(agent);
    return agent;
  }
}

/** A socket file that nobody serves, as a VM leaves it that was killed. */
export async function leaveSocketBehind(file: string): Promise<void> {
  const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  await finished(spawn(process.execPath, ["-e", script, file], { stdio: ["ignore", "pipe", "pipe"] }));
}
