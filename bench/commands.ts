import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeEnvelope, encodeFrame } from "../src/wire/envelope.ts";
import { FrameDecoder } from "../src/wire/frame-decoder.ts";
import { compile } from "./compile.ts";
import { connected, p99, settled } from "./frames.ts";
import { agentProgram, serviceEnvironment, startNode, stop, withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const trips = 300;
const rounds = 5;
const together = 100;
/** A hundred commands are over in the blink of an eye: that takes more rounds. */
const roundsTogether = 20;
/** One ping after the other would take a CPU from the commands. */
const pingEveryMs = 2;

/** Makes a process as large as one that has run for long. */
const ballast = `globalThis.ballast = Array.from({ length: 20 }, () => Buffer.alloc(8 * 1024 * 1024, 1));`;

/** Prints the median of child_process.spawn → exit in milliseconds, in a process of the same size. */
const bareSpawn = `
  const { spawn } = require("node:child_process");
  const run = () => new Promise((resolve) => {
    const started = performance.now();
    spawn("/bin/true", ["x"]).on("exit", () => resolve(performance.now() - started));
  });
  (async () => {
    const times = [];
    for (let i = 0; i < ${trips}; i++) times.push(await run());
    console.log(times.sort((a, b) => a - b)[${trips / 2}]);
  })();`;

/** Asks and waits for the answers, by message_id. */
class Asker {
  readonly #connection: Socket;
  readonly #waiting = new Map<string, () => void>();
  #counter = 0;

  constructor(connection: Socket) {
    this.#connection = connection;
    const decoder = new FrameDecoder({
      decode: decodeEnvelope,
      onMessage: ({ messageId, executeResponse, pong }) => {
        if (!executeResponse && !pong) return;
        if (executeResponse?.error) throw new Error(executeResponse.error);
        this.#waiting.get(messageId)?.();
        this.#waiting.delete(messageId);
      },
      onGarbage: () => undefined,
    });
    connection.on("data", (data: Buffer) => {
      decoder.push(data);
    });
  }

  /** Milliseconds until the answer. */
  async run(): Promise<number> {
    return this.#ask((messageId) => ({
      messageId,
      execute: { command: "/bin/true", args: ["x"], waitForExit: true },
    }));
  }

  async ping(): Promise<number> {
    return this.#ask((messageId) => ({ messageId, ping: { sequence: 1 } }));
  }

  async #ask(request: (messageId: string) => Parameters<typeof encodeFrame>[1]): Promise<number> {
    const messageId = `bench-${++this.#counter}`;
    const started = performance.now();
    await new Promise<void>((resolve) => {
      this.#waiting.set(messageId, resolve);
      this.#connection.write(encodeFrame("plain", request(messageId)));
    });
    return performance.now() - started;
  }
}

async function roundTripRow(asker: Asker, ballastFile: string): Promise<BenchRow> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const times: number[] = [];
    for (let i = 0; i < trips; i++) times.push(await asker.run());
    ours.push(median(times));
    const args = ["--require", ballastFile, "-e", bareSpawn];
    bare.push(Number(execFileSync(process.execPath, args, { encoding: "utf8", env: serviceEnvironment })));
  }
  const ratio = median(ours) / median(bare);
  return {
    name: "execute of /bin/true over a UNIX socket, agent of 200 MB, against child_process.spawn → exit in as large a process",
    ours: `${fixed(median(ours))} ms`,
    reference: `${fixed(median(bare))} ms`,
    ratio: fixed(ratio),
    target: "≤ 0.5",
    met: ratio <= 0.5,
  };
}

async function togetherRows(asker: Asker, folder: string): Promise<BenchRow[]> {
  const loop = compile("spawn-loop", folder);
  const ours: number[] = [];
  const bare: number[] = [];
  const pings: number[] = [];
  for (let round = 0; round < roundsTogether; round++) {
    const started = performance.now();
    const state = { running: true };
    const all = Promise.all(Array.from({ length: together }, () => asker.run())).then(
      () => (state.running = false),
    );
    const pinging = (async () => {
      while (state.running) {
        pings.push(await asker.ping());
        await sleep(pingEveryMs);
      }
    })();
    await all;
    ours.push(performance.now() - started);
    await pinging;
    bare.push(Number(execFileSync(loop, [String(together)], { encoding: "utf8", env: serviceEnvironment })));
  }
  const ratio = median(ours) / median(bare);
  return [
    {
      name: `${together} commands at once, against a C loop with posix_spawn`,
      ours: `${fixed(median(ours), 1)} ms`,
      reference: `${fixed(median(bare), 1)} ms`,
      ratio: fixed(ratio),
      target: "≤ 1.3",
      met: ratio <= 1.3,
    },
    {
      name: `ping p99 while ${together} commands run at once`,
      ours: `${fixed(p99(pings), 1)} ms`,
      reference: "",
      ratio: "",
      target: "≤ 20 ms",
      met: p99(pings) <= 20,
    },
  ];
}

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const socket = path.join(folder, "agent.sock");
    const config = path.join(folder, "agent.yaml");
    const ballastFile = path.join(folder, "ballast.cjs");
    writeFileSync(config, "telemetry_interval_secs: 3600\nlog_level: error\n");
    writeFileSync(ballastFile, ballast);
    const args = ["--config", config, "--port", `unix-listen:${socket}`];
    const agent = startNode(["--require", ballastFile, agentProgram, ...args]);
    try {
      const connection = await connected(socket);
      await settled(connection);
      const asker = new Asker(connection);
      const rows = [await roundTripRow(asker, ballastFile), ...(await togetherRows(asker, folder))];
      connection.destroy();
      return rows;
    } finally {
      await stop(agent);
    }
  });
}
