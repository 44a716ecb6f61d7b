import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { symlinkSync } from "node:fs";
import type { Server } from "node:net";
import { connect as connectSocket, createServer } from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { ctl } from "../support/ctl.ts";
import { until } from "../support/until.ts";
import { WindowsAgent } from "../support/windows/agent.ts";
import { bundleFor } from "../support/windows/bundle.ts";
import { WindowsTerminal, serveTerminal } from "../support/windows/terminal.ts";
import { Wine } from "../support/windows/wine.ts";

const name = "org.limiquantix.agent.0";

describe("the agent on Windows, at its port", () => {
  let wine: Wine;
  let terminal: WindowsTerminal;
  let server: Server;
  let agent: WindowsAgent;
  let socket: string;

  before(async () => {
    wine = await Wine.open();
    socket = path.join(wine.folder, "host.sock");
    agent = await WindowsAgent.start(wine);
    await agent.logged("there is no such device yet");
    terminal = new WindowsTerminal(wine, name);
    server = await serveTerminal(terminal, socket);
    await agent.logged("the port is open");
  });
  after(async () => {
    await agent[Symbol.asyncDispose]();
    server.close();
    terminal.close();
    await wine[Symbol.asyncDispose]();
  });

  const ping = async (): Promise<void> => {
    const client = await connect({ socket });
    try {
      await client.ping();
    } finally {
      await client.close();
    }
  };

  it("waits for its port, and answers who connects", async () => {
    await ping();
    const { code, stdout } = await ctl(["ping", "--socket", socket]);
    assert.equal(code, 0);
    assert.match(stdout, /reply from/);
  });

  it("tells what it runs on", async () => {
    const client = await connect({ socket });
    try {
      const { osName, architecture, capabilities } = await client.ready();
      assert.match(osName, /Windows/);
      assert.ok(capabilities.includes("hello"));
      assert.ok(architecture !== "");
    } finally {
      await client.close();
    }
  });

  it("serves hosts that come and go", async () => {
    for (let i = 0; i < 50; i++) await ping();
  });

  it("finds its way back after garbage", async () => {
    terminal.send(randomBytes(100_000));
    await ping();
    await agent.logged("bytes that are no frame were skipped");
  });

  it("takes no CPU time while nothing is asked", async () => {
    const before = await agent.cpuMs();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const used = (await agent.cpuMs()) - before;
    assert.ok(used < 60, `${used} ms in 3 s`);
  });

  it("ends within a second", async () => {
    const { code, ms } = await agent.stop();
    assert.equal(code, 0, agent.log);
    assert.ok(ms < 1_000, `${ms} ms`);
  });
});

describe("the agent on Windows, at a named pipe", () => {
  const pipe = "\\\\.\\pipe\\limiquantix-test";

  it("serves one host after the other", async () => {
    await using wine = await Wine.open();
    await using agent = await WindowsAgent.start(wine, { port: `pipe-listen:${pipe}` });
    const relay = await bundleFor(wine, "test/windows/inside/pipe-relay.ts");
    const port = 20_000 + (process.pid % 20_000);
    const relaying = wine.start(wine.node, [relay, String(port), pipe]);
    const socket = path.join(wine.folder, "host.sock");
    const server = createServer((client) => {
      const target = connectSocket(port, "127.0.0.1");
      client.pipe(target).pipe(client);
      for (const each of [client, target]) {
        each.on("error", () => undefined); // both close
        each.on("close", () => {
          client.destroy();
          target.destroy();
        });
      }
    }).listen(socket);
    try {
      await until("an answer", async () => {
        const probe = connectSocket(port, "127.0.0.1");
        return new Promise<boolean>((resolve) => {
          probe.on("data", () => {
            probe.destroy();
            resolve(true);
          });
          probe.setTimeout(2_000, () => probe.destroy()); // once in many runs Wine connects a pipe and tells nobody
          probe.on("error", () => undefined); // it closes
          probe.on("close", () => {
            resolve(false);
          });
        });
      });
      for (let i = 0; i < 20; i++) {
        const client = await connect({ socket });
        await client.ping();
        await client.close();
      }
      const { code, ms } = await agent.stop();
      assert.equal(code, 0, agent.log);
      assert.ok(ms < 1_000, `${ms} ms`);
    } finally {
      server.close();
      relaying.kill();
    }
  });
});

describe("the agent on Windows, at a serial line", () => {
  it("waits for it, and serves its host", async () => {
    await using wine = await Wine.open();
    const terminal = new WindowsTerminal(wine, "unused");
    const socket = path.join(wine.folder, "host.sock");
    const server = await serveTerminal(terminal, socket);
    try {
      await using agent = await WindowsAgent.start(wine, { port: "serial:COM9" });
      await agent.logged("cannot open the serial line yet");
      // Not before: Wine makes its own links when it starts.
      symlinkSync(terminal.path, path.join(wine.prefix, "dosdevices/com9"));
      await agent.logged("the port is open");
      const client = await connect({ socket });
      await client.ping();
      await client.close();
      const { code, ms } = await agent.stop();
      assert.equal(code, 0, agent.log);
      assert.ok(ms < 1_000, `${ms} ms`);
    } finally {
      server.close();
      terminal.close();
    }
  });
});
