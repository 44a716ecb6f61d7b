import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { Daemon } from "../support/daemon.ts";
import type { FakeAgentOptions } from "../support/fake-agent.ts";
import { until } from "../support/until.ts";
import { codeOf, withAgent } from "../support/with-agent.ts";

const nextEvent = (client: Client, name: "connected" | "disconnected"): Promise<unknown> =>
  new Promise((resolve) => client.once(name, resolve));

describe("host client", () => {
  it("holds a session with an agent that knows them, and goes without where it does not", async () => {
    await withAgent({ version: "2.0.0" }, async (socket) => {
      await using client = await connect({ socket });
      assert.equal(client.mode, "session");
      assert.equal(client.agentVersion, "2.0.0");
      assert.ok((await client.ping()).roundTripMs > 0);
    });
    await withAgent({ sessions: false, version: "1.0.0" }, async (socket) => {
      await using client = await connect({ socket });
      assert.equal(client.mode, "plain");
      assert.equal(client.agentVersion, "1.0.0");
      await client.ping();
    });
  });

  it("fails what is under way at once when the connection goes, and connects again", async () => {
    const answer: FakeAgentOptions["answer"] = (request) => (request.getCapabilities ? "none" : undefined);
    await withAgent({ answer }, async (socket, agent) => {
      await using client = await connect({ socket });
      const pending = [
        client.capabilities({ timeoutSeconds: 60 }),
        client.capabilities({ timeoutSeconds: 60 }),
      ];
      const codes = Promise.all(pending.map(codeOf));
      const back = nextEvent(client, "connected");
      await client.ping();
      agent.dropClients();
      assert.deepEqual(await codes, ["connection-lost", "connection-lost"]);
      await back;
      await client.ping();
    });
  });

  it("does not connect again when told not to", async () => {
    await withAgent({}, async (socket, agent) => {
      await using client = await connect({ socket, reconnect: false });
      const gone = nextEvent(client, "disconnected");
      agent.dropClients();
      await gone;
      assert.equal(await codeOf(client.ping()), "connection-lost");
    });
  });

  it("notices an agent that was started anew under it", async () => {
    const answer: FakeAgentOptions["answer"] = (request) => (request.getCapabilities ? "none" : undefined);
    await withAgent({ answer }, async (socket, agent) => {
      await using client = await connect({ socket });
      const pending = codeOf(client.capabilities({ timeoutSeconds: 60 }));
      await client.ping();
      agent.restart();
      assert.equal(await pending, "agent-restarted");
      await client.ping();
      assert.equal(client.mode, "session");
    });
  });

  it("keeps deadlines and signals, and close() ends what is under way", async () => {
    const answer: FakeAgentOptions["answer"] = (request) => (request.getCapabilities ? "none" : undefined);
    await withAgent({ answer }, async (socket) => {
      const client = await connect({ socket });
      assert.equal(await codeOf(client.capabilities({ timeoutSeconds: 0.05 })), "timed-out");
      assert.equal(await codeOf(client.capabilities({ signal: AbortSignal.timeout(20) })), "aborted");
      const pending = codeOf(client.capabilities());
      await client.ping();
      await client.close();
      assert.equal(await pending, "aborted");
      assert.equal(await codeOf(client.ping()), "aborted");
    });
  });

  it("says what is wrong when there is no agent to talk to", async () => {
    assert.equal(await codeOf(connect({ socket: "/nowhere/agent.sock" })), "not-found");
    await withAgent({ silent: true }, async (socket) => {
      assert.equal(await codeOf(connect({ socket, timeoutSeconds: 0.3 })), "agent-silent");
      const signal = AbortSignal.timeout(50);
      assert.equal(await codeOf(connect({ socket, signal })), "aborted");
    });
    await using daemon = new Daemon().start();
    await until(
      "the socket",
      async () =>
        (await codeOf(connect({ socket: daemon.socket }).then((client) => client.close()))) === "none",
    );
    await using first = await connect({ socket: daemon.socket });
    assert.equal(await codeOf(connect({ socket: daemon.socket, timeoutSeconds: 0.5 })), "busy");
    await first.ping();
  });

  it("gives the newest report and then each that comes", async () => {
    await withAgent({ telemetry: { hostname: "first" } }, async (socket, agent) => {
      await using client = await connect({ socket });
      assert.equal((await client.telemetry()).hostname, "first");
      const names: string[] = [];
      for await (const report of client.reports()) {
        names.push(report.hostname);
        if (names.length === 1) agent.sendTelemetry({ hostname: "second" });
        if (names.length === 2) break;
      }
      assert.deepEqual(names, ["first", "second"]);
    });
  });
});
