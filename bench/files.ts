import { type ChildProcess, spawnSync } from "node:child_process";
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

/** Until V8 has compiled what runs all the time: an agent is asked for years. */
const warmUps = 6;

type Work = "nothing" | "write" | "read";

/**
 * A bare Node server: when it has got the bytes of a request, it sends those of an answer. What could be reached at best
 * shows when it also writes, or reads, a chunk of `file` before.
 */
const exchangeServer = (
  socket: string,
  requestBytes: number,
  answerBytes: number,
  work: Work,
  file: string,
): string => `
const fs = require("fs");
const answer = Buffer.alloc(${answerBytes}, 1);
const chunk = Buffer.alloc(${chunkBytes}, 1);
const works = {
  nothing: (at, done) => done(),
  write: (at, done) => fs.write(fd, chunk, 0, chunk.length, at, done),
  read: (at, done) => fs.read(fd, chunk, 0, chunk.length, at, done),
};
const work = works[${JSON.stringify(work)}];
const fd = ${work === "nothing" ? "undefined" : `fs.openSync(${JSON.stringify(file)}, ${JSON.stringify(work === "read" ? "r" : "w")})`};
answer.writeUInt32BE(${answerBytes - 4});
require("net").createServer((c) => {
  let left = ${requestBytes};
  let count = 0;
  c.on("data", (d) => {
    left -= d.length;
    if (left > 0) return;
    left = ${requestBytes};
    work((count++ % ${chunks}) * ${chunkBytes}, () => c.write(answer));
  });
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

interface Kind {
  name: "file_write" | "file_read";
  work: Work;
  /** What the bare server works on. */
  file: string;
  requestOf: (i: number) => Buffer;
}

async function compare(
  folder: string,
  toAgent: Socket,
  { name, work, file, requestOf }: Kind,
): Promise<BenchRow[]> {
  const { answerBytes } = await exchange(toAgent, requestOf);
  for (let i = 1; i < warmUps; i++) await exchange(toAgent, requestOf);
  const bareRequest = requestOf(1);
  const references = new Map<Work, { server: ChildProcess; connection: Socket; rates: number[] }>();
  const ours: number[] = [];
  try {
    for (const kind of ["nothing", work] satisfies Work[]) {
      const socket = path.join(folder, `${name}-${kind}.sock`);
      const code = exchangeServer(socket, bareRequest.length, answerBytes, kind, file);
      const server = startNode(["-e", code]);
      const connection = await connected(socket);
      pin(server.pid ?? 0, "1");
      references.set(kind, { server, connection, rates: [] });
      for (let i = 0; i < warmUps; i++) await exchange(connection, () => bareRequest);
    }
    for (let round = 0; round < rounds; round++) {
      ours.push((await exchange(toAgent, requestOf)).rate);
      for (const { connection, rates } of references.values()) {
        rates.push((await exchange(connection, () => bareRequest)).rate);
      }
    }
  } finally {
    for (const { server, connection } of references.values()) {
      connection.destroy();
      await stop(server);
    }
  }
  const row = (kind: Work, what: string, limit: number): BenchRow => {
    const reference = median(references.get(kind)?.rates ?? []);
    const ratio = median(ours) / reference;
    const mibPerSecond = (rate: number): string => `${fixed((rate * chunkBytes) / 1024 ** 2, 0)} MiB/s`;
    return {
      name: `${name}, one chunk of 64 KiB in flight, against a bare Node exchange of the same sizes${what}`,
      ours: mibPerSecond(median(ours)),
      reference: mibPerSecond(reference),
      ratio: fixed(ratio),
      target: limit > 0 ? `≥ ${limit}` : "none",
      met: ratio >= limit,
    };
  };
  return [row("nothing", "", 0.5), row(work, `, with fs.${work} before the answer`, 0)];
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
      // Reading first: what is written goes on to the disk for a while, and costs its share of the CPUs.
      const rows = [
        ...(await compare(folder, toAgent, {
          name: "file_read",
          work: "read",
          file: source,
          requestOf: read,
        })),
        ...(await compare(folder, toAgent, {
          name: "file_write",
          work: "write",
          file: path.join(files, "bare"),
          requestOf: write,
        })),
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
