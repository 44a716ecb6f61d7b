// Run by node.exe: port-speed.cjs CONTROL DEVICE BARE ROUNDS BYTES: moves so many bytes through the device in each direction,
// by the bare addon and by the agent's port in turns; prints their seconds. The host's end is told over CONTROL, a TCP port.
import { once } from "node:events";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { Port } from "../../../src/agent/transport/port.ts";
import { addon } from "../../../src/native/addon.ts";

interface Bare {
  bareRead(device: string, bytes: number): void;
  bareWrite(device: string, bytes: number): void;
}

const [, , control = "", device = "", bareFile = "", rounds = "", size = ""] = process.argv;
const bare = createRequire(bareFile)(bareFile) as Bare;
const bytes = Number(size);
const socket = connect(Number(control), "127.0.0.1");
const lines = createInterface(socket)[Symbol.asyncIterator]();

const ask = async (line: string): Promise<void> => {
  socket.write(`${line}\n`);
  await lines.next();
};

function throughPort(direction: "read" | "write"): Promise<void> {
  const piece = Buffer.alloc(64 * 1024);
  return new Promise((resolve) => {
    let left = bytes;
    const room = Buffer.allocUnsafeSlow(68 * 1024);
    const write = (): void => {
      while (direction === "write" && left > 0) {
        const taken = port.write([piece.subarray(0, Math.min(left, piece.length))]);
        if (taken === 0) return;
        left -= taken;
      }
      if (direction === "write") void port.flushed(60_000).then(end);
    };
    const end = (): void => {
      port.close();
      resolve();
    };
    const port = new Port((onEvents) => new addon.Port({ device }, onEvents), {
      attached: write,
      away: () => undefined,
      writable: write,
      room: () => room,
      data: (chunk) => {
        left -= chunk.length;
        if (left === 0) end();
        return false;
      },
      closed: () => undefined,
    });
  });
}

async function timed(work: () => void | Promise<void>): Promise<number> {
  const before = performance.now();
  await work();
  await ask("done");
  return (performance.now() - before) / 1000;
}

async function main(): Promise<void> {
  await once(socket, "connect");
  for (let round = 0; round < Number(rounds); round++) {
    for (const direction of ["read", "write"] as const) {
      await ask(`${direction} ${bytes}`);
      const bareSeconds = await timed(() => {
        if (direction === "read") bare.bareRead(device, bytes);
        else bare.bareWrite(device, bytes);
      });
      await ask(`${direction} ${bytes}`);
      const seconds = await timed(() => throughPort(direction));
      process.stdout.write(`${direction} ${bareSeconds} ${seconds}\n`);
    }
  }
}

void main().then(() => process.exit(0));
