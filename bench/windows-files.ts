// Files of a Windows guest under Wine, against a program there that copies a file to the port, and the port to a file. Both go
// through the same terminal of this machine, and a UNIX socket.
import { once } from "node:events";
import { createReadStream, createWriteStream, writeFileSync } from "node:fs";
import { type Socket, connect } from "node:net";
import path from "node:path";
import { randomBytes } from "node:crypto";
import { connect as connectClient } from "../src/host/index.ts";
import { until } from "../test/support/until.ts";
import { bundleFor } from "../test/support/windows/bundle.ts";
import { WindowsGuest } from "../test/support/windows/guest.ts";
import { WindowsTerminal, serveTerminal } from "../test/support/windows/terminal.ts";
import { Wine, windowsPath } from "../test/support/windows/wine.ts";
import { withFolder } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const device = "org.limiquantix.agent.0";
const mib = 1024 * 1024;
const bytes = 64 * mib;
const rounds = 5;

type Direction = "down" | "up";

/** Seconds that a bare program takes for the file. */
async function bareSeconds(wine: Wine, folder: string, direction: Direction): Promise<number> {
  const terminal = new WindowsTerminal(wine, device);
  const socket = path.join(folder, "bare.sock");
  const server = await serveTerminal(terminal, socket);
  try {
    const program = await bundleFor(wine, "bench/windows/bare-copy.ts");
    const file = windowsPath(path.join(wine.driveC, "bare"));
    const running = wine.start(wine.node, [
      program,
      `\\\\.\\Global\\${device}`,
      direction,
      file,
      String(bytes),
    ]);
    await until("the bare program", () => running.stdout.includes("ready"), 30_000);
    const host = connect(socket);
    await once(host, "connect");
    const before = performance.now();
    await (direction === "down"
      ? receive(host, path.join(folder, "bare"))
      : send(host, path.join(folder, "local")));
    const seconds = (performance.now() - before) / 1000;
    host.write("!");
    await running.ended;
    host.destroy();
    return seconds;
  } finally {
    server.close();
    terminal.close();
  }
}

async function receive(host: Socket, file: string): Promise<void> {
  const to = createWriteStream(file);
  let left = bytes;
  host.write("!");
  await new Promise<void>((resolve) => {
    host.on("data", (chunk: Buffer) => {
      if (!to.write(chunk)) {
        host.pause();
        to.once("drain", () => host.resume());
      }
      left -= chunk.length;
      if (left === 0) to.end(resolve);
    });
  });
}

async function send(host: Socket, file: string): Promise<void> {
  createReadStream(file, { highWaterMark: 64 * 1024 }).pipe(host, { end: false });
  await once(host, "data");
}

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const local = path.join(folder, "local");
    writeFileSync(local, randomBytes(bytes));
    await using bareWine = await Wine.open();
    writeFileSync(path.join(bareWine.driveC, "bare"), randomBytes(bytes));
    await using guest = await WindowsGuest.start({ log_level: "error" });
    await using client = await connectClient({ socket: guest.socket, timeoutSeconds: 60 });
    const seconds: Record<Direction, { ours: number[]; bare: number[] }> = {
      down: { ours: [], bare: [] },
      up: { ours: [], bare: [] },
    };
    const ours = async (direction: Direction): Promise<number> => {
      const before = performance.now();
      if (direction === "up") await client.files.upload(local, "C:\\bench");
      else await client.files.download("C:\\bench", path.join(folder, "back"));
      return (performance.now() - before) / 1000;
    };
    for (let warmUp = 0; warmUp < 2; warmUp++)
      for (const direction of ["up", "down"] as const) await ours(direction);
    for (let round = 0; round < rounds; round++) {
      for (const direction of ["up", "down"] as const) {
        seconds[direction].ours.push(await ours(direction));
        seconds[direction].bare.push(await bareSeconds(bareWine, folder, direction));
      }
    }
    return (["down", "up"] as const).map((direction) => {
      const [mine, bare] = [median(seconds[direction].ours), median(seconds[direction].bare)];
      return {
        name: `Windows: ${direction}load of 64 MiB under Wine, against a bare program that copies a file with the addon's port`,
        ours: `${fixed(bytes / mib / mine, 0)} MiB/s`,
        reference: `${fixed(bytes / mib / bare, 0)} MiB/s`,
        ratio: fixed(bare / mine),
        target: "≥ 0.6",
        met: bare / mine >= 0.6,
      };
    });
  });
}
