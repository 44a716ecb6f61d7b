import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import path from "node:path";
import { connected, ping, roundTrips, settled, watchFrames } from "./frames.ts";
import { agentProgram, startNode, stop, withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const trips = 5_000;
const pipelined = 60_000;
const rounds = 5;

/** A bare Node server that sends every byte back. */
const echoServer = (socket: string): string =>
  `require("net").createServer((c) => c.on("data", (d) => c.write(d))).listen(${JSON.stringify(socket)})`;

/** Answers a second with many requests under way. */
async function measurePipelined(connection: Socket): Promise<number> {
  const batch = Buffer.concat(Array.from({ length: 100 }, () => ping));
  const started = performance.now();
  let answers = 0;
  await new Promise<void>((resolve) => {
    const stopWatching = watchFrames(connection, () => {
      if (++answers < pipelined) return;
      stopWatching();
      resolve();
    });
    for (let sent = 0; sent < pipelined; sent += 100) connection.write(batch);
  });
  return pipelined / ((performance.now() - started) / 1000);
}

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const agentSocket = path.join(folder, "agent.sock");
    const echoSocket = path.join(folder, "echo.sock");
    const config = path.join(folder, "agent.yaml");
    // No telemetry in between: it would be taken for an answer.
    writeFileSync(config, "telemetry_interval_secs: 3600\nlog_level: error\n");
    const agent = startNode([agentProgram, "--config", config, "--port", `unix-listen:${agentSocket}`]);
    const echo = startNode(["-e", echoServer(echoSocket)]);
    try {
      const toAgent = await connected(agentSocket);
      const toEcho = await connected(echoSocket);
      await settled(toAgent);
      const ours: number[] = [];
      const bare: number[] = [];
      const oursRate: number[] = [];
      const bareRate: number[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push(median(await roundTrips(toAgent, trips)));
        bare.push(median(await roundTrips(toEcho, trips)));
        oursRate.push(await measurePipelined(toAgent));
        bareRate.push(await measurePipelined(toEcho));
      }
      toAgent.destroy();
      toEcho.destroy();
      const ratio = median(ours) / median(bare);
      const rate = median(oursRate);
      const rateRatio = rate / median(bareRate);
      return [
        {
          name: "ping round trip over a UNIX socket, p50, against a bare Node echo",
          ours: `${fixed(median(ours) * 1000, 0)} µs`,
          reference: `${fixed(median(bare) * 1000, 0)} µs`,
          ratio: fixed(ratio),
          target: "≤ 1.5",
          met: ratio <= 1.5,
        },
        {
          name: "pipelined pings a second, against a bare Node echo",
          ours: fixed(rate, 0),
          reference: fixed(median(bareRate), 0),
          ratio: fixed(rateRatio),
          target: "≥ 30,000 a second",
          met: rate >= 30_000 || rateRatio >= 0.6,
        },
      ];
    } finally {
      await stop(agent);
      await stop(echo);
    }
  });
}
