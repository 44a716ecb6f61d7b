import { once } from "node:events";
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { savedGuest } from "../test/support/vm/saved.ts";
import { roundTrips, settled } from "./frames.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const trips = 1_000;
const rounds = 5;

/** What anybody would write first on top of the addon: every byte that comes goes back. */
const echo = `
  const addon = require("/agent/build/Release/limiquantix.node");
  const buffer = Buffer.alloc(65536);
  const port = new addon.Port({ device: "/dev/vport0p1" }, () => {
    for (let n = port.read(buffer); n > 0; n = port.read(buffer)) port.write([buffer.subarray(0, n)]);
  });`;

/** Median of the round trips to whatever serves the port in a fresh guest. */
async function measure(start: "agent" | "echo"): Promise<number> {
  const guest = await savedGuest();
  await using machine = await guest.restore();
  if (start === "agent") {
    await machine.expect(
      "mkdir -p /etc/limiquantix; echo telemetry_interval_secs: 3600 >/etc/limiquantix/agent.yaml",
    );
    await machine.startAgent();
  } else {
    await machine.startNode(["-e", echo], "/dev/null");
  }
  const connection = createConnection(machine.agentSocket);
  await once(connection, "connect");
  await sleep(5_000); // both have started by then
  await settled(connection);
  await roundTrips(connection, trips); // V8 compiles
  const p50 = median(await roundTrips(connection, trips));
  connection.destroy();
  return p50;
}

export async function run(): Promise<BenchRow[]> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await measure("agent"));
    bare.push(await measure("echo"));
  }
  const ratio = median(ours) / median(bare);
  return [
    {
      name: "in the VM: ping p50, against a bare Node echo with the addon on the same port",
      ours: `${fixed(median(ours))} ms`,
      reference: `${fixed(median(bare))} ms`,
      ratio: fixed(ratio),
      target: "≤ 2",
      met: ratio <= 2,
    },
  ];
}
