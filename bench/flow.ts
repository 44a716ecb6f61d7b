import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type Socket, createServer } from "node:net";
import path from "node:path";
import { encodeFrame } from "../src/wire/envelope.ts";
import { connected, p99, roundTrips, settled } from "./frames.ts";
import { agentProgram, startNode, stop, withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed } from "./stats.ts";

const gib = 1024 ** 3;
const frame = encodeFrame("plain", {
  messageId: "bulk",
  // Refused, as it is no absolute path: what is measured is the way, not the disk.
  fileWrite: { path: "x", data: Buffer.alloc(64 * 1024) },
});
const idleTrips = 2_000;

function row(name: string, idle: number[], busy: number[], seconds: number): BenchRow {
  const extra = p99(busy) - p99(idle);
  return {
    name,
    ours: `${fixed(p99(busy))} ms (${fixed(gib / 1024 ** 2 / seconds, 0)} MiB/s)`,
    reference: `${fixed(p99(idle))} ms`,
    ratio: `+${fixed(extra)} ms`,
    target: "≤ +5 ms",
    met: extra <= 5,
  };
}

/** The agent sends a GiB to its host, which pings it. */
async function guestToHost(folder: string): Promise<BenchRow> {
  const socket = path.join(folder, "out.sock");
  const server = createServer();
  server.listen(socket);
  await once(server, "listening");
  const idleAgent = startNode([agentProgram, "--port", `unix:${socket}`, "--log-level", "error"]);
  const [quiet] = (await once(server, "connection")) as [Socket];
  await settled(quiet);
  const idle = await roundTrips(quiet, idleTrips);
  await stop(idleAgent);
  quiet.destroy();

  const sender = startNode(["--import", "tsx", path.join(import.meta.dirname, "flow-sender.ts"), socket]);
  const [connection] = (await once(server, "connection")) as [Socket];
  let received = 0;
  connection.on("data", (data: Buffer) => (received += data.length));
  const started = performance.now();
  const busy: number[] = [];
  while (received < gib) busy.push(await timedPong(connection));
  const seconds = (performance.now() - started) / 1000;
  connection.destroy();
  await stop(sender);
  server.close();
  return row("ping p99 while the agent sends 1 GiB, against idle", idle, busy, seconds);
}

/** The host sends a GiB of requests to the agent, and pings it meanwhile. */
async function hostToGuest(folder: string): Promise<BenchRow> {
  const socket = path.join(folder, "in.sock");
  const agent = startNode([agentProgram, "--port", `unix-listen:${socket}`, "--log-level", "error"]);
  const connection = await connected(socket);
  await settled(connection);
  const idle = await roundTrips(connection, idleTrips);
  let sent = 0;
  const started = performance.now();
  // A frame at a time in our own queue: what is behind it there is this host's own delay.
  const send = (): void => {
    if (sent >= gib) return;
    sent += 64 * 1024;
    connection.write(frame, send);
  };
  send();
  const times: number[] = [];
  while (sent < gib) times.push(await timedPong(connection));
  const seconds = (performance.now() - started) / 1000;
  connection.destroy();
  await stop(agent);
  return row("ping p99 while the host sends 1 GiB, against idle", idle, times, seconds);
}

/** Milliseconds for one ping, whose id is unlike any other bytes in the stream. */
async function timedPong(connection: Socket): Promise<number> {
  const id = Buffer.from(`ping-${randomUUID()}`);
  const started = performance.now();
  let tail: Buffer = Buffer.alloc(0);
  await new Promise<void>((resolve) => {
    const take = (data: Buffer): void => {
      // The id may lie across two chunks.
      if (!data.includes(id) && !Buffer.concat([tail, data.subarray(0, id.length)]).includes(id)) {
        tail = data.subarray(-id.length);
        return;
      }
      connection.off("data", take);
      resolve();
    };
    connection.on("data", take);
    connection.write(encodeFrame("plain", { messageId: id.toString(), ping: { sequence: 1 } }));
  });
  return performance.now() - started;
}

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => [await guestToHost(folder), await hostToGuest(folder)]);
}
