// Run by node.exe: what the addon has for power, clock, users and network. Nothing here can change a machine: what would, is
// given what it must refuse, and below Wine it refuses everything.
import assert from "node:assert/strict";
import os from "node:os";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { addon } from "../../../src/native/addon.ts";

const text = "x";
const notSupported = { code: "ENOTSUP", windowsError: 50 };

describe("what must be a text, a number or an object", () => {
  // TypeScript would not let them pass.
  const {
    shutdownSystem,
    tellSessions,
    stepSystemTime,
    setClockRate,
    findLocalUser,
    setUserPassword,
    isServiceRunning,
  } = addon as unknown as Record<string, (...values: unknown[]) => unknown>;
  for (const [name, call, values] of [
    ["shutdownSystem", shutdownSystem, []],
    ["shutdownSystem", shutdownSystem, [{}]],
    ["shutdownSystem", shutdownSystem, [{ reboot: 1, message: text }]],
    ["shutdownSystem", shutdownSystem, [{ reboot: true, message: "x".repeat(513) }]],
    ["shutdownSystem", shutdownSystem, [{ reboot: true, message: "a\0b" }]],
    ["tellSessions", tellSessions, [text, 5, 5]],
    ["tellSessions", tellSessions, [text, text, 0]],
    ["tellSessions", tellSessions, [text, "x".repeat(5000), 5]],
    ["stepSystemTime", stepSystemTime, []],
    ["stepSystemTime", stepSystemTime, ["5"]],
    ["stepSystemTime", stepSystemTime, [NaN]],
    ["stepSystemTime", stepSystemTime, [1e17]],
    ["setClockRate", setClockRate, [Infinity]],
    ["setClockRate", setClockRate, [1001]],
    ["findLocalUser", findLocalUser, ["a\0b"]],
    ["findLocalUser", findLocalUser, ["x".repeat(257)]],
    ["setUserPassword", setUserPassword, [text, text]],
    ["setUserPassword", setUserPassword, [text, "x".repeat(257), false]],
    ["setUserPassword", setUserPassword, [text, "a\0b", false]],
    ["isServiceRunning", isServiceRunning, [null]],
  ] as const)
    it(`${name}(${JSON.stringify(values).slice(0, 60)}) throws`, () => {
      assert.throws(() => call?.(...values), TypeError);
    });
});

describe("below Wine, what would change the machine", () => {
  // Wine's own does nothing, and claims success.
  it("is refused: going down", async () => {
    await assert.rejects(addon.shutdownSystem({ reboot: true, message: text }), notSupported);
  });
  it("is refused: a password", async () => {
    await assert.rejects(addon.setUserPassword("nobody", text, true), notSupported);
  });
});

describe("what is only looked at", () => {
  it("is when the system was started", async () => {
    const id = addon.bootId();
    assert.match(id, /^[0-9a-f]{16}$/);
    await sleep(20);
    assert.equal(addon.bootId(), id);
    const startedAt = Number((BigInt(`0x${id}`) - 116_444_736_000_000_000n) / 10_000n);
    assert.ok(startedAt <= Date.now() && startedAt > Date.UTC(2020, 0), String(startedAt));
    assert.ok(os.uptime() > 0);
  });

  it("is the clock, finer than a millisecond", () => {
    const [before, now, after] = [Date.now(), addon.clockNow(), Date.now()];
    assert.ok(now / 1000 > before - 20 && now / 1000 < after + 20);
    assert.equal(addon.clockRate(), 0);
  });

  it("is whether a service runs", async () => {
    assert.equal(await addon.isServiceRunning("PlugPlay"), true);
    assert.equal(await addon.isServiceRunning("no such service"), false);
  });

  it("are users", async () => {
    const { username } = os.userInfo();
    assert.equal((await addon.findLocalUser(username))?.name, username);
    assert.equal(await addon.findLocalUser("no such user"), undefined);
  });

  it("are adapters, as Node.js sees them", async () => {
    const adapters = await addon.networkAdapters();
    const ours = adapters.flatMap(({ addresses }) => addresses.map(({ address }) => address));
    const theirs = Object.values(os.networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal }) => !internal)
      .map(({ address }) => address);
    assert.ok(theirs.length > 0);
    assert.deepEqual(ours.filter((address) => theirs.includes(address)).sort(), theirs.sort());
    for (const adapter of adapters) {
      assert.match(adapter.guid, /^\{[0-9A-F-]{36}\}$/i);
      assert.match(adapter.mac, /^([0-9a-f]{2}(:[0-9a-f]{2})*)?$/);
      assert.ok(adapter.index > 0);
    }
    assert.ok(adapters.some(({ routes }) => routes.some(({ prefix }) => prefix === 0)));
  });

  it("is nobody to be told", async () => {
    assert.equal(await addon.tellSessions("title", text, 1), 0);
  });
});

describe("calls that take a thread each", () => {
  it("are sixteen at most, and come to their end", async () => {
    const results = await Promise.allSettled(Array.from({ length: 40 }, () => addon.findLocalUser("nobody")));
    const refused = results.filter((each) => each.status === "rejected");
    for (const { reason } of refused) assert.equal((reason as NodeJS.ErrnoException).code, "EAGAIN");
    assert.ok(results.length - refused.length >= 16);
    assert.equal(await addon.findLocalUser("nobody"), undefined);
  });
});
