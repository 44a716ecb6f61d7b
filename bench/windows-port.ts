// The agent's port under Wine against a bare loop of overlapped calls; the device is a terminal of this machine.
import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { addon } from "../src/native/addon.ts";
import type { RawPort } from "../src/native/port.ts";
import { bundleFor } from "../test/support/windows/bundle.ts";
import { Wine, windowsPath } from "../test/support/windows/wine.ts";
import type { BenchRow } from "./row.ts";
import { fixed, median } from "./stats.ts";

const name = "org.limiquantix.agent.0";
const bytes = 32 * 1024 * 1024;
const rounds = 5;

/** The host's end of one run: gives or takes so many bytes. */
class HostEnd {
  readonly #host: RawPort;
  readonly #line: RawPort;
  readonly #buffer = Buffer.alloc(64 * 1024);
  readonly done: Promise<void>;

  constructor(wine: Wine, direction: string, count: number) {
    const { fd, path: device } = addon.openPty();
    this.#line = new addon.Port({ device }, () => undefined); // it is raw, and stays
    let left = count;
    let finish: () => void = () => undefined;
    this.done = new Promise((resolve) => (finish = resolve));
    const move = (): void => {
      while (left > 0) {
        const piece = this.#buffer.subarray(0, Math.min(left, this.#buffer.length));
        const moved = direction === "read" ? this.#host.write([piece]) : this.#host.read(this.#buffer);
        if (moved <= 0) return;
        left -= moved;
      }
      finish();
    };
    this.#host = new addon.Port({ fd }, move);
    wine.linkDevice(name, device);
    setImmediate(move);
  }

  close(): void {
    this.#host.close();
    this.#line.close();
  }
}

async function serve(wine: Wine, socket: Socket): Promise<void> {
  let end: HostEnd | undefined;
  for await (const line of createInterface(socket)) {
    const [word = "", count = ""] = line.split(" ");
    if (word === "done") {
      await end?.done;
      end?.close();
    } else {
      end = new HostEnd(wine, word, Number(count));
    }
    socket.write("ok\n");
  }
}

export async function run(): Promise<BenchRow[]> {
  await using wine = await Wine.open();
  const server = createServer((socket) => {
    socket.on("error", () => undefined); // the run's output tells
    void serve(wine, socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const program = await bundleFor(wine, "test/windows/inside/port-speed.ts");
    const bare = windowsPath(path.resolve(".cache/win32/fake-driver.node"));
    const { code, stdout, stderr } = await wine.run([
      ...[program, String(port), `\\\\.\\Global\\${name}`, bare],
      ...[String(rounds), String(bytes)],
    ]);
    if (code !== 0) throw new Error(`the run in Wine ended with ${code}:\n${stdout}${stderr}`);
    const runs = stdout
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(" "));
    return ["read", "write"].map((direction) => {
      const of = (at: number): number =>
        bytes /
        1024 /
        1024 /
        median(runs.filter(([word]) => word === direction).map((run) => Number(run[at])));
      const ratio = of(2) / of(1);
      return {
        name: `Windows: bytes ${direction === "read" ? "from" : "to"} the host through the port, under Wine, against a bare loop`,
        ours: `${fixed(of(2))} MiB/s`,
        reference: `${fixed(of(1))} MiB/s`,
        ratio: fixed(ratio),
        target: "≥ 0.6",
        met: ratio >= 0.6,
      };
    });
  } finally {
    server.close();
  }
}
