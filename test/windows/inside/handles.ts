// Run by node.exe: handles.cjs BARE DEVICE: opens and closes ports of all kinds; none may leave a handle behind.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { type Socket, connect, createServer } from "node:net";
import { once } from "node:events";
import { describe, it } from "node:test";
import { PipeListenTransport, PipeTransport } from "../../../src/agent/transport/pipe-win32.ts";
import type { Port, PortEvents } from "../../../src/agent/transport/port.ts";
import type { Transport } from "../../../src/agent/transport/transport.ts";
import { WindowsDeviceTransport } from "../../../src/agent/transport/virtio-win32.ts";
import { addon } from "../../../src/native/addon.ts";
import { until } from "../../support/until.ts";

const [, , bareFile = "", device = ""] = process.argv;
const { handleCount } = createRequire(bareFile)(bareFile) as { handleCount: () => number };

const times = 200;
const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const forever = new AbortController().signal;

/** Opens a port, and resolves what comes to be known of it. */
async function open(
  transport: Transport,
): Promise<{ port: Port; attached: Promise<void>; closed: Promise<string> }> {
  let tellAttached: () => void = silent;
  let tellClosed: (reason: string) => void = silent;
  const attached = new Promise<void>((resolve) => (tellAttached = resolve));
  const closed = new Promise<string>((resolve) => (tellClosed = resolve));
  const events: PortEvents = {
    attached: tellAttached,
    away: silent,
    data: () => false,
    writable: silent,
    closed: ({ reason }) => {
      tellClosed(reason);
    },
  };
  return { port: await transport.open(events, forever), attached, closed };
}

/** Nothing is left of what is done again and again, when the first rounds have made what stays. */
async function leavesNothing(once: () => Promise<void>): Promise<void> {
  for (let i = 0; i < 10; i++) await once();
  const before = handleCount();
  for (let i = 0; i < times; i++) await once();
  await until(`${handleCount()} handles to be ${before} again`, () => handleCount() <= before + 3);
}

describe("handles", () => {
  it("of a device are given back", async () => {
    const transport = new WindowsDeviceTransport(device, log);
    await leavesNothing(async () => {
      const { port, attached } = await open(transport);
      await attached;
      port.close();
    });
  });

  it("of a pipe that is served are given back, whoever hangs up", async () => {
    const path = `\\\\.\\pipe\\handles-${process.pid}`;
    const transport = new PipeListenTransport(path);
    const first = open(transport);
    let client: Socket = connect(path);
    (await first).port.close();
    client.destroy();
    await leavesNothing(async () => {
      const opening = open(transport);
      client = connect(path);
      client.on("error", silent);
      const { port, attached, closed } = await opening;
      await attached;
      client.destroy();
      assert.equal(await closed, "ended");
      port.close();
    });
    transport.close();
  });

  it("of a pipe that is connected to are given back", async () => {
    const path = `\\\\.\\pipe\\handles-client-${process.pid}`;
    const server = createServer((socket) => {
      socket.on("error", silent);
      socket.end("x");
    }).listen(path);
    await once(server, "listening");
    await leavesNothing(async () => {
      const { port, closed } = await open(new PipeTransport(path, log));
      assert.equal(await closed, "ended");
      port.close();
    });
    server.close();
  });

  // That a name is taken, Wine does not tell: it knows no first instance of a pipe.
  it("of a pipe that nobody has come to are given back", async () => {
    const path = `\\\\.\\pipe\\alone-${process.pid}`;
    await leavesNothing(() => {
      new addon.Listener(path, silent).close();
      return Promise.resolve();
    });
  });

  it("are none for what cannot be opened", () => {
    const before = handleCount();
    for (let i = 0; i < times; i++) {
      assert.throws(() => new addon.Port({ device: "\\\\.\\Global\\nobody" }, silent), {
        code: "ENOENT",
        syscall: "open",
        path: "\\\\.\\Global\\nobody",
      });
      assert.throws(() => new addon.Port({ socket: "\\\\.\\pipe\\nobody" }, silent), {
        code: "ENOENT",
        syscall: "connect",
      });
    }
    assert.ok(handleCount() <= before + 3);
  });
});
