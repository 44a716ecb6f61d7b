import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Socket, createServer } from "node:net";
import path from "node:path";
import { agentProgram, serviceEnvironment, startNode, stop, withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const rounds = 21;

/** From spawn until the first bytes of agent_ready have arrived at the host's socket. */
async function timeToReady(socket: string): Promise<number> {
  const server = createServer();
  server.listen(socket);
  await once(server, "listening");
  const started = performance.now();
  const agent = startNode([agentProgram, "--port", `unix:${socket}`]);
  const [connection] = (await once(server, "connection")) as [Socket];
  await once(connection, "data");
  const ms = performance.now() - started;
  await stop(agent);
  connection.destroy();
  server.close();
  return ms;
}

async function timeOfBareNode(): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, ["-e", "0"], { stdio: "ignore", env: serviceEnvironment });
  await once(child, "exit");
  return performance.now() - started;
}

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await timeToReady(path.join(folder, `${round}.sock`)));
      bare.push(await timeOfBareNode());
    }
    const ratio = median(ours) / median(bare);
    return [
      {
        name: "spawn → agent_ready on the wire, against `node -e 0`",
        ours: `${fixed(median(ours), 0)} ms`,
        reference: `${fixed(median(bare), 0)} ms`,
        ratio: fixed(ratio),
        target: "≤ 2",
        met: ratio <= 2,
      },
    ];
  });
}
