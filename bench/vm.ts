import { once } from "node:events";
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { savedGuest } from "../test/support/vm/saved.ts";
import { roundTrips, settled } from "./frames.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const trips = 1_000;
const rounds = 5;

/** Under emulation V8's interpreter is so slow that its compilers need this many pings until nothing changes any more. */
const warmUpTrips = 8_000;

/** Medians of the first round trips, and of those when V8 has compiled. */
interface Trips {
  cold: number;
  warm: number;
}

/** What anybody would write first on top of the addon: every byte that comes goes back. */
const echo = `
  const addon = require("/agent/build/Release/limiquantix.node");
  const buffer = Buffer.alloc(65536);
  const port = new addon.Port({ device: "/dev/vport0p1" }, () => {
    for (let n = port.read(buffer); n > 0; n = port.read(buffer)) port.write([buffer.subarray(0, n)]);
  });`;

/** Milliseconds of the round trips to whatever serves the port in a fresh guest. */
async function measure(start: "agent" | "echo"): Promise<Trips> {
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
  const cold = median(await roundTrips(connection, trips));
  await roundTrips(connection, warmUpTrips);
  const warm = median(await roundTrips(connection, trips));
  connection.destroy();
  return { cold, warm };
}

export async function run(): Promise<BenchRow[]> {
  const ours: Trips[] = [];
  const bare: Trips[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await measure("agent"));
    bare.push(await measure("echo"));
  }
  const row = (when: keyof Trips, name: string, limit: number): BenchRow => {
    const [agent, echo] = [ours, bare].map((all) => median(all.map((trip) => trip[when]))) as [
      number,
      number,
    ];
    const ratio = agent / echo;
    return {
      name: `in the VM: ping p50, ${name}, against a bare Node echo with the addon on the same port`,
      ours: `${fixed(agent)} ms`,
      reference: `${fixed(echo)} ms`,
      ratio: fixed(ratio),
      target: limit === Infinity ? "none" : `≤ ${limit}`,
      met: ratio <= limit,
    };
  };
  return [
    row("warm", `after ${warmUpTrips + trips} pings`, 2),
    row("cold", `the first ${trips} (V8 interprets)`, Infinity),
  ];
}
