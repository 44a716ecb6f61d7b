import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { type AgentMessage, type Envelope, decodeEnvelope, encodeFrame } from "../src/wire/envelope.ts";
import { FrameDecoder } from "../src/wire/frame-decoder.ts";
import type { Machine } from "../test/support/vm/machine.ts";
import { savedGuest } from "../test/support/vm/saved.ts";
import { until } from "../test/support/until.ts";
import { compile } from "./compile.ts";
import { withFolder } from "./processes.ts";
import { QemuGuestAgent } from "./qemu-ga.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const mib = 1024 * 1024;
/** V8's compilers need so much of it until nothing changes any more. */
const warmUpBytes = 384 * mib;
const streamBytes = 128 * mib;
const rounds = 3;
const trips = 50;

/** The agent's host, as little of one as will do. */
class Host {
  readonly #connection: Socket;
  readonly #answers = new Map<string, (message: AgentMessage) => void>();
  streamBytes = 0;
  onData: (streamId: string, bytes: number) => void = () => undefined;
  #counter = 0;

  private constructor(connection: Socket) {
    this.#connection = connection;
    const decoder = new FrameDecoder({
      decode: decodeEnvelope,
      onMessage: (message) => {
        const { streamData } = message;
        if (streamData) {
          this.streamBytes += streamData.data?.length ?? 0;
          this.onData(streamData.streamId ?? "", streamData.data?.length ?? 0);
        } else {
          this.#answers.get(message.messageId)?.(message);
        }
      },
      onGarbage: () => undefined,
    });
    connection.on("data", (data: Buffer) => {
      decoder.push(data);
    });
  }

  static async connect(socket: string): Promise<Host> {
    const connection = createConnection(socket);
    await once(connection, "connect");
    return new Host(connection);
  }

  send(envelope: Envelope): void {
    this.#connection.write(encodeFrame("plain", envelope));
  }

  ask(envelope: Envelope): Promise<AgentMessage> {
    const messageId = `bench-${++this.#counter}`;
    return new Promise((resolve) => {
      this.#answers.set(messageId, resolve);
      this.send({ ...envelope, messageId });
    });
  }

  close(): void {
    this.#connection.destroy();
  }
}

/** A host of a fresh guest whose agent has begun to answer. */
async function attached(machine: Machine): Promise<Host> {
  await machine.expect(
    "mkdir -p /etc/limiquantix; echo telemetry_interval_secs: 3600 >/etc/limiquantix/agent.yaml",
  );
  const host = await Host.connect(machine.agentSocket);
  await machine.startAgent();
  await host.ask({ ping: { sequence: 1 } });
  return host;
}

/** MiB a second of what `yes` prints, and by how many MiB the agent has grown meanwhile. */
async function liveOutput(machine: Machine): Promise<{ rate: number; grownMiB: number }> {
  const host = await attached(machine);
  const window = 4 * mib;
  const memory = async (): Promise<number> =>
    Number(await machine.expect("awk '/^(RssAnon)/ {print $2}' /proc/$(pidof node)/status")) / 1024;
  let owed = 0;
  host.onData = (streamId, bytes) => {
    owed += bytes;
    if (owed < window / 4) return;
    host.send({ messageId: "credit", streamCredit: { streamId, channel: 1, bytes: owed } });
    owed = 0;
  };
  const started = await host.ask({
    execStart: { command: "/bench/yes", windowBytes: window },
  });
  const execId = started.execStartResponse?.execId ?? "";
  await until("the first bytes", () => host.streamBytes > warmUpBytes, 60_000);
  const before = await memory();
  const from = host.streamBytes;
  const began = performance.now();
  await until("all bytes", () => host.streamBytes >= from + streamBytes, 120_000);
  const rate = (host.streamBytes - from) / mib / ((performance.now() - began) / 1000);
  const grownMiB = (await memory()) - before;
  await host.ask({ execSignal: { execId, signal: 9 } });
  host.close();
  return { rate, grownMiB };
}

/** MiB a second of a C program that writes to the port: the same bytes again and again, or what `yes` gives it. */
async function rawOutput(machine: Machine, source: "memory" | "yes"): Promise<number> {
  const connection = createConnection(machine.agentSocket);
  await once(connection, "connect");
  let received = 0;
  connection.on("data", (data: Buffer) => (received += data.length));
  const writer = `/bench/port-writer /dev/vport0p1 ${warmUpBytes + 2 * streamBytes}`;
  const command = source === "yes" ? `/bench/yes | ${writer} copy` : writer;
  await machine.expect(`setsid sh -c '${command}' >/dev/null 2>&1 & echo`);
  await until("the first bytes", () => received > warmUpBytes, 60_000);
  const from = received;
  const began = performance.now();
  await until("all bytes", () => received >= from + streamBytes, 120_000);
  const rate = (received - from) / mib / ((performance.now() - began) / 1000);
  connection.destroy();
  return rate;
}

/** What the guest needs for the command itself: posix_spawn to exit in a C program. */
async function bareSpawnTime(machine: Machine): Promise<number> {
  const text = await machine.expect(
    `i=0; while [ $i -lt ${trips} ]; do /bench/spawn-loop 1; i=$((i+1)); done`,
  );
  return median(text.trim().split(/\s+/).map(Number));
}

async function executeTime(machine: Machine): Promise<number> {
  const host = await attached(machine);
  const times: number[] = [];
  for (let i = 0; i < trips; i++) {
    const started = performance.now();
    const answer = await host.ask({ execute: { command: "/bin/true", args: ["x"], waitForExit: true } });
    if (answer.executeResponse?.exitCode !== 0) throw new Error(JSON.stringify(answer));
    times.push(performance.now() - started);
  }
  host.close();
  return median(times);
}

/** guest-exec until guest-exec-status shows the exit, asked again and again at once. */
async function executeTimeOfQemuGa(machine: Machine): Promise<number> {
  const agent = await QemuGuestAgent.start(machine);
  const times: number[] = [];
  for (let i = 0; i < trips; i++) {
    const started = performance.now();
    const command = { path: "/bin/true", arg: ["x"], "capture-output": true };
    const { pid } = (await agent.ask("guest-exec", command)) as { pid: number };
    while (!((await agent.ask("guest-exec-status", { pid })) as { exited: boolean }).exited);
    times.push(performance.now() - started);
  }
  agent.close();
  return median(times);
}

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const guest = await savedGuest({
      "/bench/port-writer": compile("port-writer", folder),
      "/bench/spawn-loop": compile("spawn-loop", folder),
      "/bench/yes": "/usr/bin/yes", // busybox has a slow one
    });
    const live: { rate: number; grownMiB: number }[] = [];
    const raw: number[] = [];
    const copied: number[] = [];
    const bare: number[] = [];
    const ours: number[] = [];
    const theirs: number[] = [];
    const inGuest = async <T>(measure: (machine: Machine) => Promise<T>): Promise<T> => {
      await using machine = await guest.restore();
      return await measure(machine);
    };
    for (let round = 0; round < rounds; round++) {
      live.push(await inGuest(liveOutput));
      raw.push(await inGuest((machine) => rawOutput(machine, "memory")));
      copied.push(await inGuest((machine) => rawOutput(machine, "yes")));
      bare.push(await inGuest(bareSpawnTime));
      ours.push(await inGuest(executeTime));
      theirs.push(await inGuest(executeTimeOfQemuGa));
    }
    const rate = median(live.map((one) => one.rate));
    const grown = median(live.map(({ grownMiB }) => grownMiB));
    const execRatio = median(theirs) / median(ours);
    const output = (reference: string, rates: readonly number[], limit: number): BenchRow => {
      const ratio = rate / median(rates);
      return {
        name: `in the VM: live output of \`yes\`, against ${reference}`,
        ours: `${fixed(rate, 1)} MiB/s`,
        reference: `${fixed(median(rates), 1)} MiB/s`,
        ratio: fixed(ratio),
        target: limit > 0 ? `≥ ${limit}` : "none",
        met: ratio >= limit,
      };
    };
    return [
      output("a C program that writes one buffer to the port again and again", raw, 0.8),
      output("a C program that copies what `yes` prints to the port", copied, 0),
      {
        name: `in the VM: growth of the agent's memory meanwhile (${streamBytes / mib} MiB)`,
        ours: `${fixed(grown, 1)} MiB`,
        reference: "",
        ratio: "",
        target: "≤ 8 MiB",
        met: grown <= 8,
      },
      {
        name: "in the VM: execute of /bin/true, against qemu-ga until its status shows the exit",
        ours: `${fixed(median(ours), 1)} ms`,
        reference: `${fixed(median(theirs), 1)} ms (posix_spawn to exit in C: ${fixed(median(bare), 1)} ms)`,
        ratio: `1/${fixed(execRatio, 1)}`,
        target: "≥ 5 times faster",
        met: execRatio >= 5,
      },
    ];
  });
}
