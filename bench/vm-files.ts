import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type Socket, createConnection } from "node:net";
import path from "node:path";
import { type Client, connect } from "../src/host/index.ts";
import type { Machine } from "../test/support/vm/machine.ts";
import { savedGuest } from "../test/support/vm/saved.ts";
import { until } from "../test/support/until.ts";
import { compile } from "./compile.ts";
import { withFolder } from "./processes.ts";
import { QemuGuestAgent } from "./qemu-ga.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median, quantile } from "./stats.ts";

const mib = 1024 * 1024;
const fileBytes = 64 * mib;
const rounds = 3;
/** Transfers until V8 has compiled all of it. */
const warmUps = 6;
/** qemu-ga is given so much of the file; it is slow. */
const qgaBytes = 8 * mib;
const idlePings = 500;

/** MiB a second. */
interface Rates {
  cold: number;
  warm: number;
}

async function rateOf(bytes: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return bytes / mib / ((performance.now() - started) / 1000);
}

async function withAgent<T>(machine: Machine, use: (client: Client) => Promise<T>): Promise<T> {
  await machine.expect(
    "mkdir -p /etc/limiquantix; echo telemetry_interval_secs: 3600 >/etc/limiquantix/agent.yaml",
  );
  await machine.startAgent();
  const client = await connect({ socket: machine.agentSocket, timeoutSeconds: 60 });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** The first transfer of a fresh agent, and the median of three when V8 has compiled. */
async function rates(
  transfer: () => Promise<unknown>,
  prepare: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Rates> {
  const all: number[] = [];
  for (let i = 0; i < warmUps + 3; i++) {
    await prepare();
    all.push(await rateOf(fileBytes, transfer));
  }
  return { cold: all[0] ?? NaN, warm: median(all.slice(warmUps)) };
}

interface Ours {
  download: Rates;
  upload: Rates;
  /** p99 in milliseconds. */
  idlePing: number;
  busyPing: number;
}

async function ours(machine: Machine, folder: string): Promise<Ours> {
  const local = path.join(folder, "data");
  writeFileSync(local, Buffer.alloc(fileBytes, "data "));
  return await withAgent(machine, async (client) => {
    const upload = await rates(
      () => client.files.upload(local, "/tmp/data"),
      () => machine.expect("rm -f /tmp/data"), // two do not fit into the guest's memory
    );
    const download = await rates(() => client.files.download("/tmp/data", `${local}.back`));
    const idlePing = quantile(await pings(client, { count: idlePings }), 0.99);
    const transfers = (async () => {
      for (let i = 0; i < 3; i++) {
        await client.files.download("/tmp/data", `${local}.back`);
        await machine.expect("rm /tmp/data");
        await client.files.upload(local, "/tmp/data");
      }
    })();
    const busyPing = quantile(await pings(client, { until: transfers }), 0.99);
    return { download, upload, idlePing, busyPing };
  });
}

/** Milliseconds of one ping after the other. */
async function pings(
  client: Client,
  end: { count: number } | { until: Promise<unknown> },
): Promise<number[]> {
  const times: number[] = [];
  const state = { ended: false };
  if ("until" in end) {
    void end.until.finally(() => {
      state.ended = true;
    });
  }
  while (!state.ended && !("count" in end && times.length >= end.count))
    times.push((await client.ping()).roundTripMs);
  if ("until" in end) await end.until;
  return times;
}

/** What C programs get out of, and into, the port: 32 KiB at a time, the same bytes again and again. */
async function rawDownload(machine: Machine, source: "one buffer" | "a file"): Promise<number> {
  const connection = await connected(machine.agentSocket);
  let received = 0;
  connection.on("data", (data: Buffer) => (received += data.length));
  const copying = source === "a file" ? "copy </tmp/data" : "";
  if (source === "a file") await machine.expect("dd if=/dev/zero of=/tmp/data bs=64k count=1024 2>/dev/null");
  await machine.expect(
    `setsid /bench/port-writer /dev/vport0p1 ${6 * fileBytes} ${copying} >/dev/null 2>&1 & echo`,
  );
  await until("the first bytes", () => received > fileBytes, 60_000);
  const from = received;
  const began = performance.now();
  await until("all bytes", () => received >= from + 3 * fileBytes, 120_000);
  const rate = (received - from) / mib / ((performance.now() - began) / 1000);
  connection.destroy();
  return rate;
}

async function rawUpload(machine: Machine, target: "nowhere" | "a file"): Promise<number> {
  const to = target === "a file" ? "/tmp/data" : "";
  // First the host: with a reader that was there before it, 2 to 5 MiB/s were seen.
  const connection = await connected(machine.agentSocket);
  await machine.expect(`setsid /bench/port-reader /dev/vport0p1 ${to} >/dev/null 2>&1 & echo`);
  const piece = Buffer.alloc(64 * 1024, "y");
  const send = async (bytes: number): Promise<void> => {
    for (let left = bytes; left > 0; left -= piece.length) {
      if (!connection.write(piece)) await once(connection, "drain");
    }
  };
  await send(fileBytes);
  const rate = await rateOf(3 * fileBytes, () => send(3 * fileBytes));
  connection.destroy();
  return rate;
}

async function connected(socket: string): Promise<Socket> {
  const connection = createConnection(socket);
  await once(connection, "connect");
  return connection;
}

/** MiB a second of qemu-ga, in pieces of 64 KiB, as its hosts have them, and of 1 MiB. */
async function theirs(machine: Machine): Promise<{ download: number; upload: number; largest: number }> {
  const agent = await QemuGuestAgent.start(machine);
  const bytes = Buffer.alloc(qgaBytes, "data ");
  const upload = (chunk: number): Promise<number> =>
    rateOf(qgaBytes, () => agent.write("/tmp/data", bytes, chunk));
  const download = (chunk: number): Promise<number> => rateOf(qgaBytes, () => agent.read("/tmp/data", chunk));
  const small = { upload: await upload(64 * 1024), download: await download(64 * 1024) };
  const largest = Math.max(await upload(mib), await download(mib));
  agent.close();
  return { ...small, largest };
}

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const guest = await savedGuest({
      "/bench/port-writer": compile("port-writer", folder),
      "/bench/port-reader": compile("port-reader", folder),
    });
    const inGuest = async <T>(measure: (machine: Machine) => Promise<T>): Promise<T> => {
      await using machine = await guest.restore();
      return await measure(machine);
    };
    const all: {
      ours: Ours;
      rawDownload: number;
      rawUpload: number;
      copyDownload: number;
      copyUpload: number;
      qga: Awaited<ReturnType<typeof theirs>>;
    }[] = [];
    for (let round = 0; round < rounds; round++) {
      all.push({
        ours: await inGuest((machine) => ours(machine, folder)),
        rawDownload: await inGuest((machine) => rawDownload(machine, "one buffer")),
        rawUpload: await inGuest((machine) => rawUpload(machine, "nowhere")),
        copyDownload: await inGuest((machine) => rawDownload(machine, "a file")),
        copyUpload: await inGuest((machine) => rawUpload(machine, "a file")),
        qga: await inGuest(theirs),
      });
    }
    const of = (pick: (one: (typeof all)[number]) => number): number => median(all.map(pick));
    const rateRow = (name: string, rate: number, reference: number, limit: number): BenchRow => ({
      name: `in the VM: ${name}`,
      ours: `${fixed(rate, 1)} MiB/s`,
      reference: `${fixed(reference, 1)} MiB/s`,
      ratio: fixed(rate / reference),
      target: limit > 0 ? `≥ ${limit}` : "none",
      met: rate / reference >= limit,
    });
    const down = of((one) => one.ours.download.warm);
    const up = of((one) => one.ours.upload.warm);
    const raw = { down: of((one) => one.rawDownload), up: of((one) => one.rawUpload) };
    const qga = { down: of((one) => one.qga.download), up: of((one) => one.qga.upload) };
    const idle = of((one) => one.ours.idlePing);
    const busy = of((one) => one.ours.busyPing);
    return [
      rateRow(
        "download of 64 MiB, against a C program that writes one buffer to the port",
        down,
        raw.down,
        0.8,
      ),
      rateRow("upload of 64 MiB, against a C program that reads the port", up, raw.up, 0.8),
      rateRow(
        "the first download (V8 interprets)",
        of((one) => one.ours.download.cold),
        raw.down,
        0,
      ),
      rateRow(
        "the first upload (V8 interprets)",
        of((one) => one.ours.upload.cold),
        raw.up,
        0,
      ),
      rateRow(
        "download, against a C program that copies the file to the port",
        down,
        of((one) => one.copyDownload),
        0,
      ),
      rateRow(
        "upload, against a C program that copies the port to a file",
        up,
        of((one) => one.copyUpload),
        0,
      ),
      rateRow("download, against qemu-ga in pieces of 64 KiB", down, qga.down, 20),
      rateRow("upload, against qemu-ga in pieces of 64 KiB", up, qga.up, 20),
      rateRow(
        "the slower of both, against qemu-ga in pieces of 1 MiB",
        Math.min(down, up),
        of((one) => one.qga.largest),
        0,
      ),
      {
        name: "in the VM: ping p99 during transfers, against idle",
        ours: `${fixed(busy, 1)} ms`,
        reference: `${fixed(idle, 1)} ms`,
        ratio: `+${fixed(busy - idle, 1)} ms`,
        target: "≤ +20 ms",
        met: busy - idle <= 20,
      },
    ];
  });
}
