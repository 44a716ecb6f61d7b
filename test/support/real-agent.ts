import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { until } from "./until.ts";

/** limiquantix-agent from its sources, serving a socket as QEMU would; stopped when disposed of. */
export async function startRealAgent(socket: string): Promise<AsyncDisposable> {
  const root = path.resolve(import.meta.dirname, "../..");
  const args = ["--import", "tsx", "src/cli/agent.ts", "--port", `unix-listen:${socket}`];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      resolve();
    });
  });
  await until("the agent serves its socket", () => {
    if (child.exitCode !== null) throw new Error(`limiquantix-agent ended:\n${log}`);
    return existsSync(socket);
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}
