import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import path from "node:path";
import { encodeFrame } from "../src/wire/envelope.ts";
import { agentProgram, startNode, stop, withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const roundTrips = 5_000;
const pipelined = 60_000;
const rounds = 5;

/** A bare Node server that sends every byte back. */
const echoServer = (socket: string): string =>
  `require("net").createServer((c) => c.on("data", (d) => c.write(d))).listen(${JSON.stringify(socket)})`;

const ping = encodeFrame("plain", { messageId: "0123456789abcdef01234567/1", ping: { sequence: 1 } });

async function connected(socket: string): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    const connection = createConnection(socket);
    try {
      await once(connection, "connect");
      return connection;
    } catch (error) {
      if (tries > 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Bytes of the agent's greeting until a pong can be told by its size alone. */
async function settled(connection: Socket): Promise<void> {
  let quiet: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    const again = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(resolve, 200);
    };
    connection.on("data", again);
    again();
  });
  connection.removeAllListeners("data");
}

/** Calls `onFrame` for each whole plain frame that arrives. */
function countFrames(connection: Socket, onFrame: () => void): () => void {
  let header = Buffer.alloc(0);
  let bodyLeft = 0;
  const take = (data: Buffer): void => {
    for (let at = 0; at < data.length;) {
      if (bodyLeft === 0) {
        const wanted = 4 - header.length;
        header = Buffer.concat([header, data.subarray(at, at + wanted)]);
        at += wanted;
        if (header.length < 4) return;
        bodyLeft = header.readUInt32BE();
        header = Buffer.alloc(0);
      } else {
        const count = Math.min(bodyLeft, data.length - at);
        bodyLeft -= count;
        at += count;
        if (bodyLeft === 0) onFrame();
      }
    }
  };
  connection.on("data", take);
  return () => connection.off("data", take);
}

/** Milliseconds for one request and its whole answer, one after the other. */
async function measureRoundTrips(connection: Socket): Promise<number> {
  const times: number[] = [];
  let answered = (): void => undefined;
  const stopCounting = countFrames(connection, () => {
    answered();
  });
  for (let i = 0; i < roundTrips; i++) {
    const started = performance.now();
    await new Promise<void>((resolve) => {
      answered = resolve;
      connection.write(ping);
    });
    times.push(performance.now() - started);
  }
  stopCounting();
  return median(times);
}

/** Answers a second with many requests under way. */
async function measurePipelined(connection: Socket): Promise<number> {
  const batch = Buffer.concat(Array.from({ length: 100 }, () => ping));
  const started = performance.now();
  let answers = 0;
  await new Promise<void>((resolve) => {
    const stopCounting = countFrames(connection, () => {
      if (++answers < pipelined) return;
      stopCounting();
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
    // No telemetry in between: answers are told apart by their number of bytes.
    const { writeFileSync } = await import("node:fs");
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
        ours.push(await measureRoundTrips(toAgent));
        bare.push(await measureRoundTrips(toEcho));
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
          target: "≥ 30,000 or ≥ 0.6",
          met: rate >= 30_000 || rateRatio >= 0.6,
        },
      ];
    } finally {
      await stop(agent);
      await stop(echo);
    }
  });
}
