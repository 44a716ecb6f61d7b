import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import { encodeFrame } from "../src/wire/envelope.ts";
import { connected, settled, watchFrames } from "./frames.ts";
import { agentProgram, startNode, stop, withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const chunkBytes = 64 * 1024;
const chunks = 1_500;
const rounds = 7;

/** A bare Node server: when it has got the bytes of a request, it sends those of an answer. */
const exchangeServer = (socket: string, requestBytes: number, answerBytes: number): string => `
const answer = Buffer.alloc(${answerBytes}, 1);
answer.writeUInt32BE(${answerBytes - 4});
require("net").createServer((c) => {
  let left = ${requestBytes};
  c.on("data", (d) => { left -= d.length; if (left === 0) { left = ${requestBytes}; c.write(answer); } });
}).listen(${JSON.stringify(socket)})`;

/** Sends one request after the other; gives chunks a second, and the length of the last answer's frame. */
async function exchange(
  connection: Socket,
  requestOf: (i: number) => Buffer,
): Promise<{ rate: number; answerBytes: number }> {
  let answered: (answerBytes: number) => void = () => undefined;
  const stopWatching = watchFrames(connection, (bodyBytes) => {
    answered(bodyBytes + 4);
  });
  const requests = Array.from({ length: chunks }, (_, i) => requestOf(i));
  let answerBytes = 0;
  const started = performance.now();
  for (const request of requests) {
    answerBytes = await new Promise<number>((resolve) => {
      answered = resolve;
      connection.write(request);
    });
  }
  stopWatching();
  return { rate: chunks / ((performance.now() - started) / 1000), answerBytes };
}

/** Keeps a process on CPUs: where the scheduler puts two that talk makes a factor of eight. */
function pin(pid: number, cpus: string): void {
  const { status, stderr } = spawnSync("taskset", ["-apc", cpus, String(pid)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`taskset failed: ${stderr}`);
}

async function compare(
  folder: string,
  toAgent: Socket,
  name: string,
  requestOf: (i: number) => Buffer,
): Promise<BenchRow> {
  const { answerBytes } = await exchange(toAgent, requestOf);
  const socket = path.join(folder, `${name}.sock`);
  const requestBytes = requestOf(1).length;
  const bare = startNode(["-e", exchangeServer(socket, requestBytes, answerBytes)]);
  try {
    const toBare = await connected(socket);
    pin(bare.pid ?? 0, "1");
    const ours: number[] = [];
    const theirs: number[] = [];
    const bareRequest = requestOf(1);
    await exchange(toBare, () => bareRequest);
    for (let round = 0; round < rounds; round++) {
      ours.push((await exchange(toAgent, requestOf)).rate);
      theirs.push((await exchange(toBare, () => bareRequest)).rate);
    }
    toBare.destroy();
    const ratio = median(ours) / median(theirs);
    const mibPerSecond = (rate: number): string => `${fixed((rate * chunkBytes) / 1024 ** 2, 0)} MiB/s`;
    return {
      name: `${name}, one chunk of 64 KiB in flight, against a bare Node exchange of the same sizes`,
      ours: mibPerSecond(median(ours)),
      reference: mibPerSecond(median(theirs)),
      ratio: fixed(ratio),
      target: "≥ 0.5",
      met: ratio >= 0.5,
    };
  } finally {
    await stop(bare);
  }
}

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const socket = path.join(folder, "agent.sock");
    const config = path.join(folder, "agent.yaml");
    // No telemetry in between: it would be taken for an answer.
    writeFileSync(config, "telemetry_interval_secs: 3600\nlog_level: error\n");
    const files = path.join(folder, "files");
    mkdirSync(files);
    const source = path.join(files, "source");
    writeFileSync(source, randomBytes((chunks + 1) * chunkBytes));
    const agent = startNode([agentProgram, "--config", config, "--port", `unix-listen:${socket}`]);
    try {
      const toAgent = await connected(socket);
      await settled(toAgent);
      pin(process.pid, "0");
      pin(agent.pid ?? 0, "1");
      const data = randomBytes(chunkBytes);
      const target = path.join(files, "target");
      const write = (i: number): Buffer =>
        encodeFrame("plain", {
          messageId: `0123456789abcdef01234567/w${i % 10}`,
          fileWrite: {
            path: target,
            data,
            offset: i * chunkBytes,
            chunkNumber: i,
            totalChunks: chunks,
            createParents: true,
          },
        });
      const read = (i: number): Buffer =>
        encodeFrame("plain", {
          messageId: `0123456789abcdef01234567/r${i % 10}`,
          fileRead: { path: source, offset: i * chunkBytes },
        });
      const rows = [
        await compare(folder, toAgent, "file_write", write),
        await compare(folder, toAgent, "file_read", read),
      ];
      const closed = once(toAgent, "close");
      toAgent.destroy();
      await closed;
      return rows;
    } finally {
      pin(process.pid, `0-${os.cpus().length - 1}`);
      await stop(agent);
    }
  });
}
