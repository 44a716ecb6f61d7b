// Power, clock, users and network of the agent in Wine. Nobody's machine is changed: the addon refuses below Wine, and what
// might reach a clock is switched off besides.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { bundleFor } from "../support/windows/bundle.ts";
import { WindowsTerminal, serveTerminal } from "../support/windows/terminal.ts";
import { Wine, type WineProcess, windowsPath } from "../support/windows/wine.ts";

const port = "org.limiquantix.agent.0";

/** Test reports of Windows for people, not for the runner here. */
const asText = { NODE_TEST_CONTEXT: undefined };

let wine: Wine;
before(async () => {
  wine = await Wine.open();
});
after(() => wine[Symbol.asyncDispose]());

describe("the addon's calls for power, clock, users and network", () => {
  it("take what they must, refuse the rest, and look at what there is", async () => {
    const program = await bundleFor(wine, "test/windows/inside/lifecycle.ts");
    const { code, stdout, stderr } = await wine.run([program], asText);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^. pass [2-9][0-9]$/m, stdout);
  });

  it("outlive the worker that has made them", async () => {
    const program = await bundleFor(wine, "test/windows/inside/lifecycle-worker.ts");
    const { code, stdout, stderr } = await wine.run([program], asText);
    assert.deepEqual([code, stdout.trim(), stderr], [0, "done", ""]);
  });
});

describe("the agent on Windows", () => {
  let agent: WineProcess;
  let terminal: WindowsTerminal;
  let server: Awaited<ReturnType<typeof serveTerminal>>;
  let host: Client;

  before(async () => {
    const config = path.join(wine.folder, "agent.yaml");
    writeFileSync(config, "security: {disabled_operations: [sync_time]}\n");
    terminal = new WindowsTerminal(wine, port);
    server = await serveTerminal(terminal, path.join(wine.folder, "host.sock"));
    agent = wine.start(wine.node, [windowsPath("dist/bin/agent.cjs"), "--config", windowsPath(config)]);
    host = await connect({ socket: path.join(wine.folder, "host.sock"), timeoutSeconds: 60 });
  });
  after(async () => {
    await host.close();
    agent.kill();
    server.close();
    terminal.close();
  });

  it("tells when a shutdown waits, and that Windows cannot halt", async () => {
    const { dueAt } = await host.power.reboot({ delaySeconds: 1000, message: "updates" });
    assert.ok(dueAt && dueAt.getTime() > Date.now() + 900_000);
    const { pending } = await host.power.status();
    assert.deepEqual([pending?.kind, pending?.message], ["reboot", "updates"]);
    assert.equal(await host.power.cancel(), true);
    await assert.rejects(host.power.halt(), {
      agentCode: "QXGA-5001",
      message: /Windows cannot halt with the power on; ask for a poweroff/,
    });
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
    assert.ok(!agent.stdout.includes("secret-1") && !agent.stderr.includes("secret-1"));
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
