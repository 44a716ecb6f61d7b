// Power, clock, users and network of the agent in Wine. Nobody's machine is changed: the addon refuses below Wine, and what
// might reach a clock is switched off besides.
import assert from "node:assert/strict";
import type { Server } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import { WindowsAgent } from "../support/windows/agent.ts";
import { bundleFor } from "../support/windows/bundle.ts";
import { WindowsTerminal, serveTerminal } from "../support/windows/terminal.ts";
import { Wine } from "../support/windows/wine.ts";

const port = "org.limiquantix.agent.0";

/** Test reports of Windows for people, not for the runner here. */
const asText = { NODE_TEST_CONTEXT: undefined };

let wine: Wine;
before(async () => {
  wine = await Wine.open();
});
after(() => wine[Symbol.asyncDispose]());

describe("power, clock, users and network of Windows", () => {
  it("are calls of the addon that take what they must, refuse the rest, and look at what there is", async () => {
    const program = await bundleFor(wine, "test/windows/inside/lifecycle.ts");
    const { code, stdout, stderr } = await wine.run([program], asText);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^. pass [2-9][0-9]$/m, stdout);
  });

  it("are a network that comes back, from files as Windows has them", async () => {
    const program = await bundleFor(wine, "test/unit/windows-network.test.ts");
    const { code, stdout, stderr } = await wine.run([program], asText);
    assert.equal(code, 0, stdout + stderr);
  });

  it("are calls that outlive the worker that has made them", async () => {
    const program = await bundleFor(wine, "test/windows/inside/lifecycle-worker.ts");
    const { code, stdout, stderr } = await wine.run([program], asText);
    assert.deepEqual([code, stdout.trim(), stderr], [0, "done", ""]);
  });
});

describe("the agent on Windows", () => {
  const config = "security: {disabled_operations: [sync_time], audit_logging: true}";
  let agent: WindowsAgent;
  let terminal: WindowsTerminal;
  let server: Server;
  let host: Client;

  before(async () => {
    const socket = path.join(wine.folder, "host.sock");
    terminal = new WindowsTerminal(wine, port);
    server = await serveTerminal(terminal, socket);
    agent = await WindowsAgent.start(wine, { config });
    host = await connect({ socket, timeoutSeconds: 60 });
  });
  after(async () => {
    await host.close();
    await agent[Symbol.asyncDispose]();
    server.close();
    terminal.close();
  });

  it("keeps a shutdown that waits over its own restart, and knows that Windows cannot halt", async () => {
    const { dueAt } = await host.power.reboot({ delaySeconds: 1000, message: "updates" });
    assert.ok(dueAt && dueAt.getTime() > Date.now() + 900_000);
    assert.equal((await agent.stop()).code, 0);
    agent = await WindowsAgent.start(wine, { config });
    // A call that the restart comes into fails.
    const { pending, dropped } = await until(
      "the agent to be there again",
      () => host.power.status().catch(() => undefined),
      60_000,
    );
    assert.deepEqual([pending?.kind, pending?.message, dropped], ["reboot", "updates", ""]);
    assert.equal(await host.power.cancel(), true);
    await assert.rejects(host.power.halt(), {
      agentCode: "QXGA-5001",
      message: /Windows cannot halt with the power on; ask for a poweroff/,
    });
  });

  it("tells that the system did not go down, which it cannot below Wine", async () => {
    await host.power.poweroff();
    const { dropped } = await until("the refusal", async () => {
      const status = await host.power.status();
      return status.dropped !== "" && status;
    });
    assert.match(dropped, /^the poweroff has not come: QXGA-5001 Windows does not go down: .*ENOTSUP/);
    await agent.logged("poweroff with InitiateSystemShutdownEx");
  });

  it("says how far its clock is off, and sets none here", async () => {
    const status = await host.clock.status({ time: "now" });
    assert.ok(Math.abs(status.offsetSeconds) < 5);
    assert.equal(status.keptBy, "");
    await assert.rejects(host.clock.status(), {
      agentCode: "QXGA-5009",
      message: /no such source on Windows/,
    });
    await assert.rejects(host.clock.sync({ time: "now" }), { message: /sync_time/ });
  });

  it("refuses passwords with the reason", async () => {
    for (const [user, password, agentCode, message] of [
      ["nobody", "secret-1", "QXGA-3005", /there is no user nobody on this machine/],
      ["CORP\\alice", "secret-1", "QXGA-3005", /give the name without a domain/],
      [os.userInfo().username, "", "QXGA-5003", /it is empty; nothing was changed/],
      [os.userInfo().username, "secret-1", "QXGA-5003", /not supported.*nothing was changed/],
    ] as const)
      await assert.rejects(host.users.setPassword(user, password), { agentCode, message });
    assert.ok(!agent.log.includes("secret-1"));
    await assert.rejects(host.users.sshKeys("nobody"), { message: /not supported on Windows/ });
  });

  it("shows the network, and changes none that it does not find", async () => {
    const { backend, effective } = await host.network.show();
    assert.equal(backend, "netsh");
    const [name] = Object.keys(os.networkInterfaces()).filter((each) => each !== "lo");
    assert.ok(name !== undefined && effective.includes(`${name}: `), effective);
    const document = "network: {version: 2, ethernets: {no-such: {dhcp4: true}}}";
    await assert.rejects(host.network.apply(document), {
      agentCode: "QXGA-5004",
      message: /no adapter has the name no-such; there is /,
    });
    await assert.rejects(host.network.rollBack(), { message: /no earlier configuration/ });
  });

  it("refuses to freeze and to trim, and says what to do instead", async () => {
    const refused = { agentCode: "QXGA-5005", message: /cannot freeze or trim .* with the guest's memory/ };
    await assert.rejects(host.fileSystems.freeze(), refused);
    await assert.rejects(host.fileSystems.trim());
  });
});
