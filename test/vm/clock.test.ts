import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Client } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import { withHost } from "../support/vm/with-host.ts";
import type { Machine } from "../support/vm/machine.ts";
import { savedGuest } from "../support/vm/saved.ts";

const call = { timeoutSeconds: 30 };

let guest: Awaited<ReturnType<typeof savedGuest>>;
before(async () => {
  guest = await savedGuest();
});

async function guestWithHost(): Promise<AsyncDisposable & { machine: Machine; host: Client }> {
  const machine = await guest.restore();
  return withHost(machine, async () => {
    await machine.startAgent();
    return {};
  });
}

/** What the guest's shell says, in seconds. */
async function guestSeconds(machine: Machine): Promise<number> {
  return Number(await machine.expect("date +%s"));
}

async function isRight({ machine, host }: { machine: Machine; host: Client }, within = 0.1): Promise<void> {
  // The shortest of a few round trips is in it.
  const offsets: number[] = [];
  for (let i = 0; i < 5; i++) offsets.push((await host.clock.status({ ...call, time: "now" })).offsetSeconds);
  const offset = Math.min(...offsets.map(Math.abs));
  assert.ok(offset < within, `still off by ${offset} s`);
  const began = Date.now() / 1000;
  const seconds = await guestSeconds(machine);
  assert.ok(
    seconds > began - 1.1 - within && seconds < Date.now() / 1000 + 0.2,
    `date says ${seconds}, it is ${began}`,
  );
}

describe("the clock of a guest", () => {
  it("of a restored snapshot, hours behind, is right after one call", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    await machine.expect(`date -s @${Math.floor(Date.now() / 1000) - 3 * 3600}`);
    const status = await host.clock.status({ ...call, time: "now" });
    assert.ok(Math.abs(status.offsetSeconds - 3 * 3600) < 5, `off by ${status.offsetSeconds} s`);
    // The first call brings its code into memory; each counts from when the request has come.
    const done = await host.clock.sync({ ...call, time: "now" });
    assert.ok(Math.abs(done.offsetSeconds - 3 * 3600) < 5);
    assert.equal(done.timeSource, "host");
    await isRight(attached);
  });

  it("is as it was saved, and right again by the hardware clock, which is the host's", async () => {
    await using attached = await guestWithHost();
    const { host } = attached;
    const before = (await host.clock.status({ ...call, time: "now" })).offsetSeconds;
    const compared = await host.clock.status({ ...call, source: "rtc" });
    assert.ok(Math.abs(compared.offsetSeconds - before) < 1.1, `${compared.offsetSeconds}, not ${before}`);
    const done = await host.clock.sync(call); // no PTP clock without KVM
    assert.equal(done.timeSource, "rtc");
    await isRight(attached, 1.1); // QEMU's begins its seconds at any time
    await assert.rejects(host.clock.sync({ ...call, source: "ptp" }), { agentCode: "QXGA-5009" });
    await assert.rejects(host.clock.sync({ ...call, source: "chrony" }), { agentCode: "QXGA-5009" });
    await assert.rejects(host.clock.sync({ ...call, time: new Date(1000) }), { agentCode: "QXGA-5009" });
    await isRight(attached, 1.1);
  });

  it("is set with the hardware clock, slewed, and leaves the agent's timers alone", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    await machine.expect(`date -s @${Math.floor(Date.now() / 1000) + 86_400} && hwclock -u -w`);
    await host.power.reboot({ ...call, delaySeconds: 3600 });
    const { dueAt } = (await host.power.status(call)).pending ?? assert.fail("none waits");
    await host.clock.sync({ ...call, time: "now" });
    await isRight(attached);
    await until(
      "the hardware clock to be set",
      async () => {
        const rtc = Number(await machine.expect("cat /sys/class/rtc/rtc0/since_epoch"));
        return Math.abs(rtc - Date.now() / 1000) < 2;
      },
      10_000,
    );
    const after = (await host.power.status(call)).pending ?? assert.fail("none waits");
    assert.ok(Math.abs(after.dueAt.getTime() + 86_400_000 - dueAt.getTime()) < 5_000);
    assert.equal(await host.power.cancel(call), true);
    const slewed = await host.clock.sync({ ...call, time: new Date(Date.now() + 300), slew: true });
    assert.equal(slewed.slewing, true);
    const left = await machine.run("adjtimex | grep -w offset");
    const { offsetSeconds } = await host.clock.status({ ...call, time: "now" });
    assert.ok(Math.abs(offsetSeconds) < 0.2, `${offsetSeconds} s; ${left.stdout}`);
  });
});
