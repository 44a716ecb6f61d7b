import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { once } from "node:events";
import { type Socket, createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connected, settled } from "./frames.ts";
import { agentProgram, memoryKiB, sleeps, startProgram, stop, threads, withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const platform = `linux-${process.arch}`;
const programFolder = path.resolve("dist/executable", platform, "limiquantix-agent");
const executable = path.join(programFolder, "limiquantix-agent");
const shippedNode = path.resolve(`.cache/node-binaries/node_modules/node-${platform}/bin/node`);

const rounds = 41;
const settleMs = 20_000;
const watchMs = 60_000;
const mostPackageBytes = 28_000_000;

/** What a report may wake in a minute: the main thread twice, the sampler's thread, and one for chance. */
const mostWakeUps = 12 * 4;

const mb = (bytes: number): string => `${fixed(bytes / 1e6, 1)} MB`;
const mib = (kib: number): string => `${fixed(kib / 1024, 1)} MiB`;

/** The program's own size is that of all that is installed with it. */
function sizes(): BenchRow[] {
  const files = readdirSync(programFolder).map((name) => statSync(path.join(programFolder, name)).size);
  const installed = files.reduce((sum, bytes) => sum + bytes);
  const node = statSync(shippedNode).size;
  const packages = existsSync("dist/packages") ? readdirSync("dist/packages").sort() : [];
  return [
    {
      name: "installed size of the agent, against Node.js with its symbols",
      ours: mb(installed),
      reference: mb(node),
      ratio: fixed(installed / node),
      target: "none",
      met: true,
    },
    ...packages
      .filter((name) => /\.(deb|rpm|xz|msi|tgz)$/.test(name))
      .map((name) => {
        const bytes = statSync(path.join("dist/packages", name)).size;
        const met = bytes <= mostPackageBytes;
        return { name, ours: mb(bytes), reference: "", ratio: "", target: "≤ 28 MB", met };
      }),
  ];
}

/** From spawn until the first bytes at the host's socket, in ms. */
async function timeToFirstByte(socket: string, program: string, args: string[]): Promise<number> {
  const server = createServer().listen(socket);
  await once(server, "listening");
  const started = performance.now();
  const child = startProgram(program, args);
  const [connection] = (await once(server, "connection")) as [Socket];
  await once(connection, "data");
  const ms = performance.now() - started;
  await stop(child);
  connection.destroy();
  server.close();
  return ms;
}

async function start(folder: string): Promise<BenchRow> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const socket = path.join(folder, `${round}.sock`);
    ours.push(await timeToFirstByte(socket, executable, ["--port", `unix:${socket}`]));
    const connects = `require("net").connect(${JSON.stringify(socket)}).write("x"); setInterval(() => {}, 1e6)`;
    bare.push(await timeToFirstByte(socket, shippedNode, ["-e", connects]));
  }
  const ratio = median(ours) / median(bare);
  return {
    name: `executable: spawn → agent_ready on the wire, ${rounds} rounds, against bare Node that connects and writes`,
    ours: `${fixed(median(ours), 0)} ms`,
    reference: `${fixed(median(bare), 0)} ms`,
    ratio: fixed(ratio),
    target: "≤ 1.6",
    met: ratio <= 1.6,
  };
}

interface Footprint {
  anonymous: number;
  rss: number;
  pss: number;
  threads: number;
  wakeUps: number;
}

/** Of each program, all at once: a host is attached to those that listen. */
async function idle(programs: { command: string[]; socket?: string }[]): Promise<Footprint[]> {
  const children = programs.map(({ command: [program = "", ...args] }) => startProgram(program, args));
  const hosts: Socket[] = [];
  try {
    for (const { socket } of programs) {
      if (socket === undefined) continue;
      const host = await connected(socket);
      hosts.push(host);
      await settled(host);
      host.resume();
    }
    await sleep(settleMs);
    const pids = children.map(({ pid = 0 }) => pid);
    const before = pids.map(sleeps);
    await sleep(watchMs);
    return pids.map((pid, i) => ({
      anonymous: memoryKiB(pid, "Anonymous"),
      rss: memoryKiB(pid, "Rss"),
      pss: memoryKiB(pid, "Pss"),
      threads: threads(pid),
      wakeUps: sleeps(pid) - (before[i] ?? 0),
    }));
  } finally {
    for (const host of hosts) host.destroy();
    for (const child of children) await stop(child);
  }
}

function rowsFor(
  who: string,
  ours: Footprint,
  against: string,
  theirs: Footprint,
  hasTargets: boolean,
): BenchRow[] {
  const row = (
    what: string,
    own: string,
    other: string,
    ratio: string,
    target: string,
    met: boolean,
  ): BenchRow => ({
    name: `${who}: ${what}, against ${against}`,
    ours: own,
    reference: other,
    ratio,
    target: hasTargets ? target : "none",
    met: met || !hasTargets,
  });
  const more = (field: "anonymous" | "rss" | "pss"): string => {
    const kib = ours[field] - theirs[field];
    return `${kib < 0 ? "−" : "+"}${mib(Math.abs(kib))}`;
  };
  const memory = (what: string, field: "anonymous" | "rss" | "pss", target: string, met: boolean): BenchRow =>
    row(what, mib(ours[field]), mib(theirs[field]), more(field), target, met);
  return [
    memory("anonymous memory", "anonymous", "≤ +4 MiB", ours.anonymous - theirs.anonymous <= 4096),
    memory("RSS", "rss", "none", true),
    memory("PSS", "pss", "none", true),
    row("threads", String(ours.threads), String(theirs.threads), "", "≤ 5", ours.threads <= 5),
    row(
      "wake-ups a minute, with 12 reports",
      String(ours.wakeUps),
      String(theirs.wakeUps),
      `+${ours.wakeUps - theirs.wakeUps}`,
      `≤ +${mostWakeUps}`,
      ours.wakeUps - theirs.wakeUps <= mostWakeUps,
    ),
  ];
}

export async function run(): Promise<BenchRow[]> {
  for (const file of [executable, shippedNode]) {
    if (!existsSync(file)) throw new Error(`${file} is not there; run: npm run executable ${platform}`);
  }
  const forever = ["-e", "setInterval(() => {}, 1e6)"];
  return withFolder(async (folder) => {
    const at = (name: string): string => path.join(folder, name);
    mkdirSync(at("state"));
    const listen = (name: string): string[] => ["--port", `unix-listen:${at(name)}`, "--log-level", "error"];
    const startRow = await start(folder);
    const [ours, npm, bare, bareHere, theirs] = (await idle([
      { command: [executable, ...listen("executable")], socket: at("executable") },
      { command: [process.execPath, agentProgram, ...listen("npm")], socket: at("npm") },
      { command: [shippedNode, ...forever] },
      { command: [process.execPath, ...forever] },
      { command: ["qemu-ga", "-m", "unix-listen", "-p", at("qga"), "-t", at("state")] },
    ])) as [Footprint, Footprint, Footprint, Footprint, Footprint];
    return [
      ...sizes(),
      startRow,
      ...rowsFor("executable", ours, "bare Node", bare, true),
      ...rowsFor("executable", ours, "qemu-ga", theirs, false),
      ...rowsFor(`from npm, Node ${process.version}`, npm, "the same Node, bare", bareHere, false),
    ];
  });
}
