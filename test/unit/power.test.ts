import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { cleanMessage } from "../../src/agent/power/announcement.ts";
import type { ShutdownKind } from "../../src/agent/power/kind.ts";
import { type Accepted, Power } from "../../src/agent/power/power.ts";
import { PlanRecord } from "../../src/agent/power/record.ts";
import { shutdownCalls as linuxCalls } from "../../src/agent/power/ways-linux.ts";
import { FakePower } from "../support/fake-power.ts";
import { until } from "../support/until.ts";

const silent = (): void => undefined;
const log = { info: silent, warn: silent, error: silent };
let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "power-"))));
afterEach(() => {
  mock.timers.reset();
  rmSync(folder, { recursive: true, force: true });
});

function setUp({ system = new FakePower(), stateDir = folder, thawed = Promise.resolve() } = {}) {
  const audited: object[] = [];
  const audit = { record: (record: object) => void audited.push(record) };
  const power = new Power(system, new PlanRecord(stateDir), () => thawed, audit, log);
  const failures: string[] = [];
  const ask = (kind: ShutdownKind, delaySeconds: number, message = ""): Promise<Accepted> =>
    power.request({
      kind,
      delaySeconds,
      message,
      session: "host",
      onFailure: (error) => void failures.push(error.wireText),
    });
  return { power, system, ask, audited, failures };
}

/** Lets time pass in the guest, and what is due happen; `wallMs` where its clock goes differently. */
function pass(system: FakePower, seconds: number): void {
  system.uptime += seconds;
  mock.timers.tick(seconds * 1000);
}

describe("a shutdown at once", () => {
  it("waits until the host has its answer", async () => {
    const { power, system, ask, audited } = setUp();
    const { answered, dueAt, replaced } = await ask("poweroff", 0);
    assert.deepEqual([dueAt, replaced], [undefined, false]);
    assert.equal((await power.status()).shutdown?.underWay, true);
    assert.deepEqual(system.taken, []);
    answered?.();
    await until("the guest to go down", () => system.taken.length > 0);
    assert.deepEqual(system.taken, ["poweroff"]);
    assert.match(system.told[0] ?? "", /^This system powers off now/);
    await until("the audit", () => audited.length > 0);
    assert.deepEqual(audited[0], {
      operation: "shutdown",
      session: "host",
      target: "poweroff with fake-poweroff",
      outcome: "done",
    });
  });

  it("does not wait for ever for a host that does not read", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const { system, ask } = setUp();
    await ask("reboot", 0);
    mock.timers.tick(5_000);
    mock.timers.reset();
    await until("the guest to go down", () => system.taken.length > 0);
  });

  it("is refused where nothing can do it, and says so when the tool fails", async () => {
    const { power, system, ask, failures } = setUp();
    system.missing = true;
    await assert.rejects(ask("poweroff", 0), { code: "shutdown" });
    assert.equal((await power.status()).shutdown, undefined);
    system.missing = false;
    system.failure = "systemctl failed (exit code 1): access denied";
    (await ask("poweroff", 0)).answered?.();
    await until("the failure", () => failures[0]);
    assert.equal(failures[0], "QXGA-5001 systemctl failed (exit code 1): access denied");
    const { shutdown, dropped } = await power.status();
    assert.equal(shutdown, undefined);
    assert.match(dropped, /QXGA-5001 systemctl failed/);
    system.failure = undefined;
    (await ask("poweroff", 0)).answered?.();
    assert.equal((await power.status()).dropped, "");
    await until("the guest to go down", () => system.taken.length > 0);
  });

  it("accepts the same again while it is under way, and nothing else, unless the guest is stuck", async () => {
    const { power, system, ask } = setUp();
    (await ask("reboot", 0)).answered?.();
    await until("the guest to go down", () => system.taken.length > 0);
    assert.deepEqual(await ask("reboot", 0), { replaced: false });
    await assert.rejects(ask("poweroff", 0), { code: "shutdown", message: /a reboot is under way/ });
    await assert.rejects(power.cancel(), { code: "reboot" });
    assert.deepEqual(system.taken, ["reboot"]);
    system.uptime += 601;
    (await ask("poweroff", 0)).answered?.();
    await until("another try", () => system.taken.length > 1);
  });
});

describe("a shutdown that waits", () => {
  it("comes when it is due, and tells users before", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const { power, system, ask } = setUp();
    const { dueAt } = await ask("poweroff", 300, "for \u001b[2Jrepair\u0007");
    assert.equal(dueAt?.getTime(), Date.now() + 300_000);
    assert.match(system.told[0] ?? "", /^This system powers off in 5 minutes.*\nfor {2}\[2Jrepair\n$/);
    pass(system, 239);
    assert.equal(system.told.length, 1);
    pass(system, 1);
    assert.match(system.told[1] ?? "", /in 60 seconds/);
    pass(system, 59.9);
    assert.equal((await power.status()).shutdown?.underWay, false);
    pass(system, 0.2);
    assert.equal((await power.status()).shutdown?.underWay, true);
    mock.timers.reset();
    await until("the guest to go down", () => system.taken.length > 0);
    assert.match(system.told[2] ?? "", / now/);
  });

  it("does not care about steps of the clock, and knows when the guest slept", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const { power, system, ask } = setUp();
    await ask("halt", 3600);
    mock.timers.setTime(Date.now() + 86_400_000); // as a step is, no timer runs
    assert.equal((await power.status()).shutdown?.dueAt.getTime(), Date.now() + 3600_000);
    system.uptime += 4000;
    mock.timers.tick(60_000);
    mock.timers.reset();
    await until("the guest to go down", () => system.taken.length > 0);
  });

  it("waits for file systems that are frozen", async () => {
    let thaw = silent;
    const thawed = new Promise<void>((resolve) => (thaw = resolve));
    const { power, system, ask } = setUp({ thawed });
    (await ask("poweroff", 0)).answered?.();
    await power.status();
    assert.deepEqual([system.taken, system.told], [[], []]);
    thaw();
    await until("the guest to go down", () => system.taken.length > 0);
  });

  it("can be called off, and is replaced by the next", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const { power, system, ask } = setUp();
    assert.equal(await power.cancel(), false);
    await ask("poweroff", 10);
    assert.equal((await ask("reboot", 20)).replaced, true);
    assert.equal((await power.status()).shutdown?.kind, "reboot");
    pass(system, 15);
    assert.equal(await power.cancel(), true);
    assert.match(system.told.at(-1) ?? "", /reboot .* called off/);
    assert.deepEqual(await power.status(), { dropped: "" });
    pass(system, 100);
    mock.timers.reset();
    assert.deepEqual(system.taken, []);
    await ask("poweroff", 3600);
    const { replaced, answered } = await ask("poweroff", 0);
    assert.equal(replaced, true);
    answered?.();
    await until("the guest to go down", () => system.taken.length > 0);
  });
});

describe("an agent that is restarted", () => {
  const file = (): string => path.join(folder, "shutdown.json");
  const restarted = async (system: FakePower, allowed = true) => {
    const next = setUp({ system });
    await next.power.restore({ allowed });
    return next;
  };

  it("keeps the shutdown with what was left of its time", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const first = setUp();
    await first.ask("reboot", 100, "why");
    first.power.close();
    const { system } = first;
    system.uptime += 40;
    const { power } = await restarted(system);
    const { shutdown } = await power.status();
    assert.deepEqual([shutdown?.kind, shutdown?.message], ["reboot", "why"]);
    assert.equal(shutdown?.dueAt.getTime(), Date.now() + 60_000);
    pass(system, 60);
    mock.timers.reset();
    await until("the guest to go down", () => system.taken.length > 0);
    assert.throws(() => readFileSync(file()), { code: "ENOENT" });
  });

  it("makes up for one that came due meanwhile, but not for an old one", async () => {
    const first = setUp();
    await first.ask("poweroff", 10);
    first.power.close();
    const kept = readFileSync(file());
    first.system.uptime += 30;
    await restarted(first.system);
    await until("the guest to go down", () => first.system.taken.length > 0);
    writeFileSync(file(), kept);
    first.system.uptime += 3600;
    const { power } = await restarted(first.system);
    assert.match((await power.status()).dropped, /^the poweroff has not come: it was due 60 minutes before/);
    assert.equal(first.system.taken.length, 1);
  });

  it("drops it when the guest was started anew, or it is not allowed any more, and says so until the next", async () => {
    const first = setUp();
    await first.ask("poweroff", 1000);
    first.power.close();
    const kept = readFileSync(file(), "utf8");
    writeFileSync(file(), kept.replace(/"bootId":"./, '"bootId":"x'));
    const anew = await restarted(first.system);
    const { shutdown, dropped } = await anew.power.status();
    assert.equal(shutdown, undefined);
    assert.match(dropped, /the guest was started anew/);
    await anew.ask("poweroff", 1000);
    assert.equal((await anew.power.status()).dropped, "");
    anew.power.close();
    const switchedOff = await restarted(first.system, false);
    assert.match((await switchedOff.power.status()).dropped, /switched off/);
    assert.throws(() => readFileSync(file()), { code: "ENOENT" });
  });

  it("waits for a slow disk to tell, but not with a shutdown, which then counts", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    let tell: (kept: Awaited<ReturnType<PlanRecord["read"]>>) => void = silent;
    const reading = new Promise<Awaited<ReturnType<PlanRecord["read"]>>>((resolve) => (tell = resolve));
    const record = { read: () => reading, write: () => Promise.resolve(), forget: () => Promise.resolve() };
    const system = new FakePower();
    const power = new Power(system, record, () => Promise.resolve(), { record: silent }, log);
    const restored = power.restore({ allowed: true });
    const asked = power.status();
    mock.timers.tick(5_000);
    await assert.rejects(asked, { code: "shutdown", message: /ask again/ });
    const request = {
      kind: "reboot",
      delaySeconds: 100,
      message: "",
      session: "",
      onFailure: silent,
    } as const;
    const accepted = power.request(request);
    mock.timers.tick(5_000);
    assert.equal((await accepted).replaced, false);
    const plan = { kind: "poweroff", dueAt: system.uptime + 10, message: "", session: "" } as const;
    tell({ plan, isOfThisBoot: true });
    await restored;
    assert.equal((await power.status()).shutdown?.kind, "reboot");
    power.close();
  });

  it("starts with nothing where the record is half or foreign", async () => {
    for (const text of ["", "{", '{"bootId":"x","plan":{"kind":"explode"}}', "[]"]) {
      writeFileSync(file(), text);
      const { power } = await restarted(new FakePower());
      assert.deepEqual(await power.status(), { dropped: "" });
    }
  });

  it("goes down also where nothing can be written", async () => {
    writeFileSync(path.join(folder, "file"), "");
    const { ask, system } = setUp({ stateDir: path.join(folder, "file", "state") });
    assert.ok((await ask("poweroff", 0.05)).dueAt);
    await until("the guest to go down", () => {
      system.uptime += 1;
      return system.taken.length > 0;
    });
  });
});

describe("ways down", () => {
  const at =
    (...there: string[]) =>
    (file: string): Promise<boolean> =>
      Promise.resolve(["/", ...there].includes(file));
  const lines = async (kind: ShutdownKind, ...there: string[]): Promise<string[]> =>
    (await linuxCalls(kind, at(...there))).map(({ program, args }) => [program, ...args].join(" "));

  it("are those of the init", async () => {
    assert.deepEqual(await lines("poweroff", "/run/systemd/system"), [
      "systemctl poweroff --no-wall",
      "poweroff",
      "shutdown -P now",
    ]);
    assert.deepEqual(await lines("halt", "/run/openrc/init.ctl"), [
      "openrc-shutdown --halt now",
      "halt",
      "shutdown -H now",
    ]);
    assert.deepEqual(await lines("reboot"), ["reboot", "shutdown -r now"]);
  });
});

it("a message keeps its lines, and nothing that a terminal obeys", () => {
  assert.equal(cleanMessage("a\n\tb\r\n\u001b]0;x\u0007\u009b1m\u202e"), "a\n\tb \n ]0;x  1m");
  assert.equal(cleanMessage("é".repeat(2000)).length, 1024);
});
