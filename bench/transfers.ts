import { once } from "node:events";
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { type Client, connect } from "../src/host/index.ts";
import { connected } from "./frames.ts";
import { agentProgram, anonymousKiB, startNode, stop, withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const mib = 1024 * 1024;
const gib = 1024 * mib;
const rounds = 3;
const largeBytes = 4 * gib;
const fileCount = 10_000;
/** A file system in memory: there the processor is the limit. */
const memoryFolder = "/dev/shm";

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** An agent of its own, and a client of it. */
async function withAgent<T>(folder: string, use: (client: Client, pid: number) => Promise<T>): Promise<T> {
  const socket = path.join(folder, "agent.sock");
  const config = path.join(folder, "agent.yaml");
  writeFileSync(config, `state_dir: ${path.join(folder, "state")}\ntelemetry_interval_secs: 3600\n`);
  const port = `unix-listen:${socket}`;
  const agent = startNode([agentProgram, "--port", port, "--config", config, "--log-level", "error"]);
  (await connected(socket)).destroy();
  const client = await connect({ socket });
  try {
    return await use(client, agent.pid ?? 0);
  } finally {
    await client.close();
    await stop(agent);
  }
}

/** A bare Node process that sends the file, or takes one, on each connection. */
async function withBareSide<T>(
  folder: string,
  direction: "send" | "receive",
  file: string,
  use: (socket: string) => Promise<T>,
): Promise<T> {
  const socket = path.join(folder, `${direction}.sock`);
  const script = path.join(import.meta.dirname, "socket-copy.ts");
  const side = startNode(["--import", "tsx", script, socket, direction, file]);
  // In tmpdir() there may be connections that are only tries; each is served with all of the file.
  const first = await connected(socket);
  first.destroy();
  try {
    return await use(socket);
  } finally {
    await stop(side);
  }
}

async function bareDownload(socket: string, file: string): Promise<void> {
  const connection = await connected(socket);
  await pipeline(connection, createWriteStream(file, { flush: true }));
}

async function bareUpload(socket: string, file: string): Promise<void> {
  const connection = await connected(socket);
  const ended = once(connection, "data");
  await pipeline(createReadStream(file), connection);
  await ended;
}

/** Both ways, each against the bare copy, in turns. */
async function copies(folder: string, where: string): Promise<BenchRow[]> {
  const [source, target] = [path.join(folder, "source"), path.join(folder, "target")];
  writeFileSync(source, Buffer.alloc(gib, "data "));
  const times = { down: [], up: [], bareDown: [], bareUp: [] } as Record<string, number[]>;
  const timed = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    rmSync(target, { force: true });
    times[name]?.push(await seconds(work));
  };
  await withAgent(folder, (client) =>
    withBareSide(folder, "send", source, (sending) =>
      withBareSide(folder, "receive", target, async (receiving) => {
        for (let i = 0; i < rounds; i++) {
          await timed("down", () => client.files.download(source, target));
          await timed("bareDown", () => bareDownload(sending, target));
          await timed("up", () => client.files.upload(source, target));
          await timed("bareUp", () => bareUpload(receiving, source));
        }
      }),
    ),
  );
  rmSync(source);
  rmSync(target);
  const row = (what: string, ours: string, bare: string): BenchRow => {
    const [mine, theirs] = [ours, bare].map((name) => gib / mib / median(times[name] ?? [])) as [
      number,
      number,
    ];
    return {
      name: `${what} of 1 GiB over a UNIX socket, ${where}, against a bare Node socket copy with fsync`,
      ours: `${fixed(mine, 0)} MiB/s`,
      reference: `${fixed(theirs, 0)} MiB/s`,
      ratio: fixed(mine / theirs),
      target: "≥ 0.6",
      met: mine / theirs >= 0.6,
    };
  };
  return [row("download", "down", "bareDown"), row("upload", "up", "bareUp")];
}

/** The most that the agent's memory grows by while `work` goes on, in MiB. */
async function growth(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = anonymousKiB(pid);
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, anonymousKiB(pid));
  }, 50);
  await work();
  clearInterval(look);
  return (most - before) / 1024;
}

async function memory(folder: string): Promise<BenchRow[]> {
  const [source, target] = [path.join(folder, "source"), path.join(folder, "target")];
  writeFileSync(source, "");
  truncateSync(source, largeBytes);
  const rows: BenchRow[] = [];
  for (const way of ["download", "upload"] as const) {
    const most = await withAgent(folder, (client, pid) =>
      growth(pid, () => client.files[way](source, target)),
    );
    rmSync(target);
    rows.push({
      name: `growth of the agent's memory during a ${way} of 4 GiB, at most`,
      ours: `${fixed(most, 1)} MiB`,
      reference: "",
      ratio: "",
      target: "≤ 16 MiB",
      met: most <= 16,
    });
  }
  return rows;
}

async function trees(folder: string): Promise<BenchRow[]> {
  const source = path.join(folder, "tree");
  mkdirSync(source);
  for (let i = 0; i < fileCount; i++) {
    const inner = path.join(source, String(i % 100));
    if (i < 100) mkdirSync(inner);
    writeFileSync(path.join(inner, `file-${i}`), Buffer.alloc(1024, "x"));
  }
  const names = (await readdir(source, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(source, path.join(entry.parentPath, entry.name)));
  const fresh = (): string => {
    const target = mkdtempSync(path.join(folder, "target-"));
    for (let i = 0; i < 100; i++) mkdirSync(path.join(target, String(i)));
    return target;
  };
  const times = await withAgent(folder, async (client) => {
    const tree = { down: [] as number[], up: [] as number[] };
    for (let i = 0; i < 3; i++) {
      const [down, up] = [mkdtempSync(path.join(folder, "t-")), mkdtempSync(path.join(folder, "t-"))];
      tree.down.push(await seconds(() => client.files.downloadTree(source, down)));
      tree.up.push(await seconds(() => client.files.uploadTree(source, up)));
    }
    const [down, up] = [fresh(), fresh()];
    const oneByOne = {
      down: await seconds(async () => {
        for (const name of names) {
          const { fileReadResponse } = {
            fileReadResponse: await client.request("fileRead", { path: path.join(source, name) }),
          };
          await writeFile(path.join(down, name), fileReadResponse.data);
        }
      }),
      up: await seconds(async () => {
        for (const name of names) {
          const data = await readFile(path.join(source, name));
          await client.request("fileWrite", { path: path.join(up, name), data, eof: true, totalChunks: 1 });
        }
      }),
    };
    return { tree, oneByOne };
  });
  return (["down", "up"] as const).map((way) => {
    const [ours, theirs] = [median(times.tree[way]), times.oneByOne[way]];
    return {
      name: `${way}load of a tree with 10,000 files of 1 KiB over a UNIX socket, against one request for each`,
      ours: `${fixed(ours)} s`,
      reference: `${fixed(theirs)} s`,
      ratio: `1/${fixed(theirs / ours, 1)}`,
      target: "≥ 20 times faster",
      met: theirs / ours >= 20,
    };
  });
}

export async function run(): Promise<BenchRow[]> {
  const inMemory = mkdtempSync(path.join(memoryFolder, "bench-"));
  try {
    return [
      ...(await copies(inMemory, "files in memory")),
      ...(await withFolder((folder) => copies(folder, "files on disk"))),
      ...(await memory(inMemory)),
      ...(await withFolder(trees)),
    ];
  } finally {
    rmSync(inMemory, { recursive: true, force: true });
  }
}
