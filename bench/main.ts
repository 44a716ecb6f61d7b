// npm run bench: measures, prints, and writes docs/benchmarks.md. `npm run bench -- ping vm` measures only those
// and writes nothing.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import os from "node:os";
import type { BenchRow } from "./row.ts";

const benches: Record<string, () => Promise<{ run(): Promise<BenchRow[]> }>> = {
  sample: () => import("./sample.ts"),
  ping: () => import("./ping.ts"),
  flow: () => import("./flow.ts"),
  idle: () => import("./idle.ts"),
  start: () => import("./start.ts"),
  commands: () => import("./commands.ts"),
  vm: () => import("./vm.ts"),
  "vm-commands": () => import("./vm-commands.ts"),
};

const named = process.argv.slice(2);
const rows: BenchRow[] = [];
for (const [name, load] of Object.entries(benches)) {
  if (named.length > 0 && !named.includes(name)) continue;
  process.stderr.write(`· ${name}\n`);
  rows.push(...(await (await load()).run()));
}

const table = [
  "| what | ours | reference | ratio | target | met |",
  "|---|---|---|---|---|---|",
  ...rows.map(
    ({ name, ours, reference, ratio, target, met }) =>
      `| ${name} | ${ours} | ${reference} | ${ratio} | ${target} | ${met ? "yes" : "**no**"} |`,
  ),
].join("\n");
process.stdout.write(`${table}\n`);

if (named.length === 0) {
  const commit = spawnSync("git", ["rev-parse", "--short=12", "HEAD"], { encoding: "utf8" }).stdout.trim();
  const [cpu] = os.cpus();
  writeFileSync(
    "docs/benchmarks.md",
    `# Benchmarks

Measured ${new Date().toISOString().slice(0, 10)} at commit ${commit} with \`npm run bench\`, Node ${process.version}, Linux ${os.release().replace(/-.*/, "")},
${os.cpus().length} CPUs (${cpu?.model.trim() ?? "unknown"}). The machines are shared and noisy: what counts is the ratio of medians in one run.
The guest runs under software emulation (\`-accel tcg\`).

${table}

- *sample*: one report's worth of everything, and the same data from the systeminformation package.
- *ping*: one request after the other, and 60,000 under way, against \`net.createServer\` that sends every byte back.
- *flow*: the ping's p99 while a GiB passes in frames of 64 KiB; "idle" is the same without.
- *idle*: voluntary context switches of all threads, and \`Anonymous\` of smaps_rollup, beside \`node -e 'setInterval(()=>{},1e6)'\`.
- *start*: until the first bytes of agent_ready are at the host.
- *vm*: one ping after the other through QEMU; a real port under KVM has no such slow interpreter.
`,
  );
}
process.exit(0);
