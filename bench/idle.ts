import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connected, settled } from "./frames.ts";
import { agentProgram, anonymousKiB, sleeps, startNode, stop, withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed } from "./stats.ts";

/** V8 has done its own clean-up by then. */
const settleMs = 20_000;
const watchMs = 15_000;

/** V8 collects in a burst now and then, on its own threads: the quietest of these shows what is regular. */
const windows = 4;

/** What a telemetry report may wake: the main thread for the timer and for the answer, the sampler's thread. */
const wakeUpsOfReport = 4;

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const sockets = ["attached", "away"].map((name) => path.join(folder, `${name}.sock`)) as [string, string];
    const agents = sockets.map((socket) =>
      startNode([agentProgram, "--port", `unix-listen:${socket}`, "--log-level", "error"]),
    );
    const bare = startNode(["-e", "setInterval(() => {}, 1e6)"]);
    const pids = [...agents, bare].map((child) => child.pid ?? 0);
    try {
      const attached = await connected(sockets[0]);
      await settled(attached);
      attached.resume();
      const visitor = await connected(sockets[1]);
      await settled(visitor);
      visitor.destroy();
      await sleep(settleMs);
      const quietest = pids.map(() => Infinity);
      for (let window = 0; window < windows; window++) {
        const before = pids.map(sleeps);
        await sleep(watchMs);
        for (const [i, pid] of pids.entries()) {
          quietest[i] = Math.min(quietest[i] ?? Infinity, sleeps(pid) - (before[i] ?? 0));
        }
      }
      const [withHost = 0, withoutHost = 0, ofBare = 0] = quietest;
      const [anonymous = 0, , anonymousOfBare = 0] = pids.map(anonymousKiB);
      attached.destroy();
      const reports = watchMs / 5_000;
      const seconds = watchMs / 1000;
      const extraMiB = (anonymous - anonymousOfBare) / 1024;
      return [
        {
          name: `wake-ups in ${seconds} s, host attached (${reports} reports), against an idle bare Node`,
          ours: String(withHost),
          reference: String(ofBare),
          ratio: `+${withHost - ofBare}`,
          target: `≤ +${reports * wakeUpsOfReport} (the telemetry timer)`,
          met: withHost - ofBare <= reports * wakeUpsOfReport,
        },
        {
          name: `wake-ups in ${seconds} s, host away, against an idle bare Node`,
          ours: String(withoutHost),
          reference: String(ofBare),
          ratio: `+${withoutHost - ofBare}`,
          target: "+0 (3 for chance)",
          met: withoutHost - ofBare <= 3,
        },
        {
          name: "anonymous memory, host attached, against an idle bare Node",
          ours: `${fixed(anonymous / 1024, 1)} MiB`,
          reference: `${fixed(anonymousOfBare / 1024, 1)} MiB`,
          ratio: `+${fixed(extraMiB, 1)} MiB`,
          target: "≤ +4 MiB",
          met: extraMiB <= 4,
        },
      ];
    } finally {
      for (const child of [...agents, bare]) await stop(child);
    }
  });
}
