// One sample of everything under Wine, which answers slower than Windows: every call is a round trip to its server.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { Wine, windowsPath } from "../test/support/windows/wine.ts";
import { Sampler } from "../src/native/sampler.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median, quantile } from "./stats.ts";

const samples = 400;
const targetMs = 2;

/** Samples as a host that listens makes them: with the watch for changes. */
const program = `
const addon = require(process.argv[2]);
(async () => {
  const sampler = new addon.Sampler({});
  sampler.watch(() => undefined);
  for (let i = 0; i < 20; i++) await sampler.sample(1000);
  const wallMs = [];
  const before = process.cpuUsage();
  for (let i = 0; i < ${samples}; i++) {
    const at = performance.now();
    await sampler.sample(1000);
    wallMs.push(performance.now() - at);
  }
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ wallMs, cpuMs: (user + system) / 1000 / ${samples} }));
  sampler.close();
})();
`;

async function onLinux(): Promise<number> {
  const sampler = new Sampler();
  const wallMs: number[] = [];
  for (let i = 0; i < samples; i++) {
    const at = performance.now();
    await sampler.sample();
    wallMs.push(performance.now() - at);
  }
  sampler.close();
  return median(wallMs);
}

export async function run(): Promise<BenchRow[]> {
  await using wine = await Wine.open();
  const file = path.join(wine.folder, "sample.cjs");
  writeFileSync(file, program);
  const addon = windowsPath("prebuilds/win32-x64/limiquantix.node");
  const { code, stdout, stderr } = await wine.run([windowsPath(file), addon]);
  if (code !== 0) throw new Error(`the samples under Wine failed: ${stderr}`);
  const { wallMs, cpuMs } = JSON.parse(stdout) as { wallMs: number[]; cpuMs: number };
  const [ours, linux] = [median(wallMs), await onLinux()];
  return [
    {
      name: `Windows: wall time of one sample under Wine, p50 (p99 ${fixed(quantile(wallMs, 0.99), 1)} ms, CPU ${fixed(cpuMs, 1)} ms), against one on Linux`,
      ours: `${fixed(ours)} ms`,
      reference: `${fixed(linux)} ms`,
      ratio: fixed(ours / linux, 1),
      target: `≤ ${targetMs} ms`,
      met: ours <= targetMs,
    },
  ];
}
