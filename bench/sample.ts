// One sample of everything against the same data from the systeminformation package, in one run.
import { readFileSync } from "node:fs";
import si from "systeminformation";
import { Sampler } from "../src/native/sampler.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median, quantile } from "./stats.ts";

const ourBatches = 10;
const samplesPerBatch = 200;
const referenceSamples = 7;

/** Clock ticks of /proc/self/stat; the kernel has USER_HZ = 100 on every platform Node runs on. */
const tickMs = 10;

/** CPU milliseconds of the children that this process has waited for, and theirs. */
function childCpuMs(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // from the third on: see proc(5)
  return (Number(fields[13]) + Number(fields[14])) * tickMs;
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Processes and threads started since the machine was. */
const started = (): number => Number(/^processes (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);

interface Cost {
  /** Own and children's. */
  cpuMs: number;
  wallMs: number;
  /** Tasks started on the whole machine: children, and what others did meanwhile. */
  started: number;
}

async function cost(work: () => Promise<unknown>): Promise<Cost> {
  const before = { tasks: started(), cpu: ownCpuMs() + childCpuMs(), wall: performance.now() };
  await work();
  return {
    wallMs: performance.now() - before.wall,
    cpuMs: ownCpuMs() + childCpuMs() - before.cpu,
    started: started() - before.tasks,
  };
}

/** What a telemetry report needs, from the package's functions for it. */
const referenceSample = (): Promise<unknown> =>
  Promise.all([
    si.currentLoad(),
    si.mem(),
    si.fsSize(),
    si.networkInterfaces("*", false),
    si.networkStats("*"),
    si.disksIO(),
    Promise.resolve(si.time()),
    si.processes(),
  ]);

export async function run(): Promise<BenchRow[]> {
  const sampler = new Sampler();
  try {
    // The first of each loads code, opens files and starts the thread.
    for (let i = 0; i < samplesPerBatch; i++) await sampler.sample();
    await referenceSample();

    const cpuMs: number[] = [];
    const wallMs: number[] = [];
    let startedByOurs = Infinity;
    for (let batch = 0; batch < ourBatches; batch++) {
      const ours = await cost(async () => {
        for (let i = 0; i < samplesPerBatch; i++) {
          const at = performance.now();
          await sampler.sample();
          wallMs.push(performance.now() - at);
        }
      });
      cpuMs.push(ours.cpuMs / samplesPerBatch);
      startedByOurs = Math.min(startedByOurs, ours.started); // the rest of the machine goes on
    }
    const reference: Cost[] = [];
    for (let i = 0; i < referenceSamples; i++) reference.push(await cost(referenceSample));

    const oursCpu = median(cpuMs);
    const theirsCpu = median(reference.map((one) => one.cpuMs));
    const theirsWall = median(reference.map((one) => one.wallMs));
    const theirsStarted = median(reference.map((one) => one.started));
    const ratio = theirsCpu / oursCpu;
    const oursWall = median(wallMs);
    return [
      {
        name: "CPU time of one sample of everything, against systeminformation",
        ours: `${fixed(oursCpu * 1000, 0)} µs`,
        reference: `${fixed(theirsCpu, 0)} ms`,
        ratio: `1/${fixed(ratio, 0)}`,
        target: "≤ 1/200",
        met: ratio >= 200,
      },
      {
        name: `wall time of one sample, p50 (p99 ${fixed(quantile(wallMs, 0.99), 2)} ms), against systeminformation`,
        ours: `${fixed(oursWall)} ms`,
        reference: `${fixed(theirsWall, 0)} ms`,
        ratio: `1/${fixed(theirsWall / oursWall, 0)}`,
        target: "≤ 0.3 ms",
        met: oursWall <= 0.3,
      },
      {
        name: "child processes of one sample, against systeminformation (with its threads)",
        ours: fixed(startedByOurs / samplesPerBatch, 0),
        reference: fixed(theirsStarted, 0),
        ratio: "",
        target: "0",
        met: startedByOurs === 0,
      },
    ];
  } finally {
    sampler.close();
  }
}
