// The agent's own code over a real socket, with its host library and command line. Nothing is done to this machine.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { ShutdownType } from "../../src/wire/envelope.ts";
import { AgentHere } from "../support/agent-here.ts";
import { ctl } from "../support/ctl.ts";
import { failed, one, succeeded } from "../support/ctl-result.ts";
import { RawHost } from "../support/raw-host.ts";
import { until } from "../support/until.ts";
import { withAgent } from "../support/with-agent.ts";

const client = (agent: AgentHere) => connect({ socket: agent.socket, reconnect: false });
const run = (agent: AgentHere, ...words: string[]) => ctl([...words, "--socket", agent.socket]);

describe("client.power", () => {
  it("takes the guest down, with the answer before", async () => {
    await using agent = new AgentHere();
    await using host = await client(agent);
    assert.deepEqual(await host.power.poweroff(), { dueAt: null, replaced: false });
    await until("the guest to go down", () => agent.power.taken[0] === "poweroff");
    assert.equal((await host.power.status()).pending?.underWay, true);
    await assert.rejects(host.power.reboot(), { code: "agent-error", agentCode: "QXGA-5002" });
    await assert.rejects(host.power.cancel(), { agentCode: "QXGA-5001" });
    await until("the audit", () => agent.audited.length >= 3);
    const records = agent.audited.map(
      ({ operation, target, outcome }) => `${operation} ${target} ${outcome}`,
    );
    assert.deepEqual(records.slice(0, 2).sort(), [
      "shutdown poweroff done",
      "shutdown poweroff with fake-poweroff done",
    ]);
    assert.equal(records[2], "shutdown reboot refused");
  });

  it("keeps one for later, over a restart of the agent", async () => {
    await using agent = new AgentHere();
    {
      await using host = await client(agent);
      const { dueAt } = await host.power.reboot({ delaySeconds: 100, message: "new kernel" });
      assert.ok(Math.abs((dueAt?.getTime() ?? 0) - Date.now() - 100_000) < 5_000);
      assert.equal((await host.power.halt({ delaySeconds: 1000 })).replaced, true);
    }
    await agent.restart();
    agent.power.uptime += 400;
    await using host = await client(agent);
    const { pending } = await host.power.status();
    assert.equal(pending?.kind, "halt");
    assert.ok(Math.abs(pending.dueAt.getTime() - Date.now() - 600_000) < 5_000);
    assert.equal(await host.power.cancel(), true);
    assert.equal(await host.power.cancel(), false);
    assert.deepEqual(await host.power.status(), { pending: null, dropped: "" });
    await agent.restart();
    assert.deepEqual(agent.power.taken, []);
  });

  it("tells the host when the system's tool fails", async () => {
    await using agent = new AgentHere();
    agent.power.failure = "systemctl failed (exit code 1): no";
    await using host = await client(agent);
    const told: string[] = [];
    host.on("agentError", ({ message }) => told.push(message));
    await host.power.poweroff();
    assert.match(await until("the error", () => told[0]), /^QXGA-5001 systemctl failed/);
    assert.match((await host.power.status()).dropped, /systemctl failed/);
  });

  it("does as the guest's policy says", async () => {
    await using agent = new AgentHere({ disabled_operations: ["shutdown", "sync_time"] });
    await using host = await client(agent);
    await assert.rejects(host.power.poweroff(), { agentCode: "QXGA-8006" });
    await assert.rejects(host.clock.sync({ time: "now" }), { agentCode: "QXGA-8006" });
    assert.deepEqual([agent.power.taken, agent.clock.changes], [[], []]);
  });

  it("goes down though its host does not read, or has gone", async () => {
    await using agent = new AgentHere();
    const host = await RawHost.connect(agent.socket);
    await host.until("agentReady");
    host.pause();
    // More answers than a socket takes wait before the one that counts.
    for (let i = 0; i < 3000; i++) host.send({ messageId: "x".repeat(1000), ping: { sequence: i } });
    host.send({ messageId: "down", shutdown: { type: ShutdownType.SHUTDOWN_TYPE_REBOOT } });
    await until("the guest to go down", () => agent.power.taken.length === 1, 15_000);
    assert.deepEqual(host.answersTo("down"), []);
    host.close();
    await using another = new AgentHere();
    const brief = await RawHost.connect(another.socket);
    brief.send({ messageId: "down", shutdown: { type: ShutdownType.SHUTDOWN_TYPE_HALT } });
    brief.close();
    await until("the guest to go down", () => another.power.taken.length === 1);
    assert.deepEqual(another.power.taken, ["halt"]);
  });

  it("works with agents that know nothing of what may come later", async () => {
    const guest = { features: ["shutdown"], receive: () => false, leave: () => undefined };
    const answer = ({ shutdown }: { shutdown?: unknown }) =>
      shutdown ? { shutdownResponse: { accepted: true } } : undefined;
    await withAgent({ guest, answer }, async (socket) => {
      await using host = await connect({ socket, reconnect: false });
      assert.deepEqual(await host.power.reboot({ delaySeconds: 5 }), { dueAt: null, replaced: false });
      await assert.rejects(host.power.cancel(), { code: "not-supported" });
      await assert.rejects(host.power.status(), { code: "not-supported" });
      await assert.rejects(host.clock.status(), { code: "not-supported" });
      await assert.rejects(host.power.reboot({ delaySeconds: 0.5 }), RangeError);
    });
  });
});

describe("client.clock", () => {
  it("compares, steps and slews", async () => {
    await using agent = new AgentHere();
    await using host = await client(agent);
    const wanted = new Date(agent.clock.nowUs / 1000 + 7_200_000);
    const status = await host.clock.status({ time: wanted });
    assert.ok(Math.abs(status.offsetSeconds - 7200) < 1);
    assert.deepEqual(
      [status.timeSource, status.keptBy, status.timezone],
      ["host", "chronyd", "Europe/Berlin"],
    );
    assert.deepEqual(agent.clock.changes, []);
    const done = await host.clock.sync({ time: wanted });
    assert.ok(Math.abs(done.offsetSeconds - 7200) < 1);
    assert.ok(Math.abs((done.currentTime?.getTime() ?? 0) - wanted.getTime()) < 1000);
    agent.clock.sources.set("rtc", { offsetUs: 300_000, uncertaintyUs: 0 });
    assert.equal((await host.clock.sync({ source: "rtc", slew: true })).slewing, true);
    assert.equal(agent.clock.changes[1], "slew 300000");
    await assert.rejects(host.clock.sync({ source: "ptp" }), { agentCode: "QXGA-5009" });
    await assert.rejects(host.clock.sync({ time: new Date(-1000) }), { agentCode: "QXGA-5009" });
    await assert.rejects(host.clock.sync({ time: new Date(NaN) }), RangeError);
  });

  it("says what it is when the machine has no source", async () => {
    await using agent = new AgentHere();
    await using host = await client(agent);
    await assert.rejects(host.clock.sync(), { agentCode: "QXGA-5009", message: /give the time/ });
  });
});

describe("limiquantix-ctl", () => {
  it("shuts down, later and not at all", async () => {
    await using agent = new AgentHere();
    const { socket } = agent;
    assert.equal(succeeded(await run(agent, "shutdown", "--status")), "no shutdown waits\n");
    assert.equal(succeeded(await run(agent, "shutdown", "--in", "10m")), `${socket} goes off in 10 min\n`);
    const later = succeeded(await run(agent, "reboot", "--in", "1h", "--message", "disks \u001b[2J"));
    assert.equal(later, `${socket} restarts in 1 h, in place of the shutdown that waited\n`);
    const { pending } = one(succeeded(await run(agent, "halt", "--status", "--json")));
    const { kind, message, underWay } = pending as { kind: string; message: string; underWay: boolean };
    assert.deepEqual([kind, message, underWay], ["reboot", "disks  [2J", false]);
    assert.match(
      succeeded(await run(agent, "shutdown", "--status")),
      /restarts at .*guest's clock\ndisks {2}\[2J\n/,
    );
    assert.match(succeeded(await run(agent, "reboot", "--cancel")), /was called off/);
    assert.deepEqual(one(succeeded(await run(agent, "reboot", "--cancel", "--json"))), { wasPending: false });
    failed(await run(agent, "reboot", "--cancel", "--in", "5"), { code: 2, message: /no other option/ });
    assert.equal(succeeded(await run(agent, "halt")), `${socket} halts now\n`);
    await until("the guest to go down", () => agent.power.taken[0] === "halt");
    failed(await run(agent, "shutdown"), { code: 1, message: /QXGA-5001 a halt is under way/ });
  });

  it("looks at the clock, and sets it", async () => {
    await using agent = new AgentHere();
    agent.clock.nowUs = (Date.now() - 7_260_000) * 1000;
    const shown = succeeded(await run(agent, "time"));
    assert.match(
      shown,
      /^Clock +20\d\d-.*Z\nOff +2 h 1 min behind this host's clock\nKept by +chronyd, synchronised\nTime zone +Europe\/Berlin\n$/,
    );
    assert.deepEqual(agent.clock.changes, []);
    assert.match(
      succeeded(await run(agent, "time", "--set")),
      /was 2 h 1 min behind this host's clock; it is right now/,
    );
    failed(await run(agent, "time", "--sync"), { code: 1, message: /QXGA-5009 nothing tells the time/ });
    agent.clock.sources.set("rtc", { offsetUs: -250_000, uncertaintyUs: 0 });
    const { offsetSeconds, timeSource } = one(succeeded(await run(agent, "time", "--from", "rtc", "--json")));
    assert.deepEqual([offsetSeconds, timeSource], [-0.25, "rtc"]);
    const slewed = succeeded(await run(agent, "time", "--sync", "--from", "rtc", "--slew"));
    assert.match(slewed, /was 0\.250 s ahead of the hardware clock; it gets there gradually/);
    failed(await run(agent, "time", "--set", "--from", "rtc"), { code: 2, message: /own sources/ });
    failed(await run(agent, "time", "--from", "sundial"), { code: 2, message: /sundial/ });
  });
});
