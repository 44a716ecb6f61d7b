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
  footprint: () => import("./footprint.ts"),
  commands: () => import("./commands.ts"),
  files: () => import("./files.ts"),
  vm: () => import("./vm.ts"),
  "vm-commands": () => import("./vm-commands.ts"),
  transfers: () => import("./transfers.ts"),
  "vm-files": () => import("./vm-files.ts"),
  "windows-port": () => import("./windows-port.ts"),
  "windows-files": () => import("./windows-files.ts"),
  "windows-sample": () => import("./windows-sample.ts"),
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
- *footprint*: what is shipped, with its Node.js. Bare Node is the same binary with \`setInterval(()=>{},1e6)\`; for the start a program
  that connects to a socket and writes a byte. Most of RSS is the program's file, clean and shared with whoever runs it too, and as large as the
  kernel's page cache hands it out: the same file, copied, has 18 MiB more or less. PSS halves what the two processes of this
  benchmark share. Rows of what \`npm run package\` has made are there when it has. What helped, in anonymous memory of an idle agent
  (one pair of runs each): V8's code for what an agent runs until it has greeted a host, instead of compiling at start (1.6 MiB); leaving out
  worker_threads, assert and node:crypto until it is needed (1.5 MiB); the program's source in the pages of the executable's own
  file (1 MiB); starting none of libuv's 16 threads. \`--max-semi-space-size=1\`, \`--optimize-for-size\`, \`--single-threaded\` and a
  full collection after the start gave no gain that could be told from chance. Not tried: a startup snapshot (4 MiB more in an early measurement), giving clean pages back. The .msi is larger, as Debian's tools make cabinets of MSZIP only.
  An executable of the same kind with nothing but the connection in it starts in 0.92 of bare Node's time: what is above that is the agent's
  own, 3 ms for V8 to read its code again, the rest for what it runs.
- *vm*: one ping after the other through QEMU; a real port under KVM has no such slow interpreter.
- *commands*: the agent carries 160 MB of ballast, as does the process that it is compared with. A hundred at once, with a ping every
  2 ms, keep both CPUs busy: a command by itself needs 0.75 ms of CPU (half of it is its dynamic linker, which asks a virtual CPU what it
  is), the agent's share is another 0.35 ms, the host's 0.1 ms: 60 ms of two CPUs, which is 1.25 times what the C loop takes. While other
  work runs on the machine the ratio says nothing: the C loop waits longer for the CPU than the agent. Tried as well: 12 and 16 starts
  under way at a time instead of 8, one epoll set for all pipes, threads that wait for the next start (in force), answers of one turn of the
  event loop in one write (in force, but the first).
- *files*: \`file_write\` and \`file_read\` in pieces of 64 KiB, one under way at a time, host and agent each on a CPU of its own, after
  six rounds in which V8 compiles. The bare exchange touches no file; what it costs to write or read one, in a thread as it must be,
  shows in the rows below it. What of a file is in memory is read without a thread (RWF_NOWAIT); there is no such write on ext4 and
  tmpfs (\`EOPNOTSUPP\`), so each piece that is written goes to a thread and back.
- *transfers*: the bare copy is \`createReadStream\` into a socket and a socket into \`createWriteStream\`, with fsync as ours; files in memory are
  in tmpfs. Of a tree each file costs the guest an open, a stat, a read and a close, and the host as much to make it: a request for each adds a
  round trip of 0.1 ms to that, which is why one stream cannot be 20 times faster where round trips are so cheap.
- *vm-commands*: on one emulated CPU that \`yes\`, the agent and the port share. A C program that only copies what \`yes\` prints gets a
  third of what one gets that writes the same buffer again and again, so 0.8 of that is out of reach for whoever
  reads a pipe. New frame buffers each time (34 MiB/s), a pipe of 64 KiB (40) and V8 before it has compiled (16 to 43) were worse.
  A bare posix_spawn in C takes a third of qemu-ga's time there, so nothing can be five times faster than it; qemu-ga is asked for
  its status without a pause, 4.7 times per command. Without emulation both take 1.26 ms.
- *windows-sample*: as the agent takes it while a host listens. Under Wine what is asked about an interface, or about processes, is a round
  trip to another process, 0.3 to 0.6 ms; Windows answers such calls in its kernel.
- *vm-files*: files in the guest's tmpfs, on the one emulated CPU. A file's bytes are copied twice there, between port, program and file; the
  C program that writes one buffer to the port, or throws away what it reads, copies them once. The C programs that copy a file to the port, and the
  port to a file, are what could be reached; the rest is Node.js under emulation, which costs the agent 5 µs a frame without it.
- *windows*: under Wine, whose every call is a round trip to its server. *windows-port* moves bytes through the agent's port, in
  JavaScript, against a loop of blocking overlapped calls in C++; *windows-files* copies files with the agent, and with a program there
  that has the addon's port and Node's files and no frames. The device is a terminal of this machine, and the slowest part.
`,
  );
}
process.exit(0);
