import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Client } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import { withHost } from "../support/vm/with-host.ts";
import { systemdGuest } from "../support/vm/systemd/saved.ts";

const startSeconds = 60;
const call = { timeoutSeconds: 30 };

let guest: Awaited<ReturnType<typeof systemdGuest>>;
before(async () => {
  guest = await systemdGuest();
});

type Machine = Awaited<ReturnType<typeof guest.restore>>;

async function guestWithHost(): Promise<AsyncDisposable & { machine: Machine; host: Client }> {
  return withHost(await guest.restore(), () => Promise.resolve({}));
}

/** As status(), also while the agent is being started. */
function status(host: Client): ReturnType<Client["power"]["status"]> {
  return until(
    "the agent",
    () => host.power.status({ timeoutSeconds: 5 }).catch(() => undefined),
    startSeconds * 1000,
  );
}

describe("the power of a guest with systemd", () => {
  it("goes off when the host has its answer, and nothing is left of that at the next start", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    assert.deepEqual(await host.power.poweroff(call), { dueAt: null, replaced: false });
    await machine.poweredOff();
    await machine.powerOn();
    await machine.booted();
    assert.deepEqual(await status(host), { pending: null, dropped: "" });
    assert.match(await machine.expect("journalctl --list-boots --quiet | wc -l"), /^[12]\n$/);
  });

  it("starts anew, and what waited then is told as dropped", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    const bootId = (): Promise<string> => machine.expect("cat /proc/sys/kernel/random/boot_id");
    const first = await bootId();
    await host.power.reboot(call);
    await machine.rebooted();
    await machine.booted();
    assert.notEqual(await bootId(), first);
    assert.deepEqual(await status(host), { pending: null, dropped: "" });
    await host.power.halt({ ...call, delaySeconds: 3600 });
    await machine.expect(
      "systemd-run --quiet --on-active=1 --timer-property=AccuracySec=100ms systemctl reboot",
    ); // the shell ends with it
    await machine.rebooted();
    await machine.booted();
    const { pending, dropped } = await status(host);
    assert.equal(pending, null);
    assert.equal(dropped, "the halt has not come: the guest was started anew before it was due");
  });

  it("halts", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    await host.power.halt(call);
    await machine.halted();
    assert.equal(((await machine.qmp.execute("query-status")) as { status: string }).status, "running");
  });

  it("goes off later, though the service is restarted, and not when it was called off", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    await host.power.halt({ ...call, delaySeconds: 5 });
    assert.equal(await host.power.cancel(call), true);
    const asked = performance.now();
    await host.power.poweroff({ ...call, delaySeconds: 30, message: "later" });
    await machine.expect("systemctl restart limiquantix-agent");
    const { pending } = await status(host);
    assert.deepEqual([pending?.kind, pending?.message, pending?.underWay], ["poweroff", "later", false]);
    await machine.expect("systemctl kill --signal=KILL limiquantix-agent");
    await machine.poweredOff();
    const seconds = (performance.now() - asked) / 1000;
    assert.ok(seconds > 29 && seconds < 90, `after ${seconds} s`);
  });

  it("tells who is logged in", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    // A terminal with a login on it, and what is shown there.
    await machine.expect(
      "sleep infinity | setsid script -q -f -c 'login -f alice' /run/shown >/dev/null 2>&1 &",
    );
    const isThere = async (): Promise<boolean> => (await machine.expect("who")).includes("alice");
    await until("alice to be logged in", isThere, 25_000);
    await host.power.poweroff({ ...call, delaySeconds: 600, message: "new \u001b[31mdisks" });
    const shown = await until(
      "the message",
      async () => {
        const text = await machine.expect("cat /run/shown");
        return text.includes("disks") && text;
      },
      20_000,
    );
    assert.match(shown, /This system powers off in 10 minutes, as its host asks\./);
    assert.match(shown, /new {2}\[31mdisks/);
    assert.equal(await host.power.cancel(call), true);
  });
});

describe("the clock of a guest with systemd", () => {
  it("is put right beside chronyd, which leaves it so, and by it", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    await assert.rejects(host.clock.status({ ...call, source: "chrony" }), { agentCode: "QXGA-5009" });
    // No server can be reached: the clock itself is what it goes by.
    await machine.expect("printf 'local stratum 5\\n' >/etc/chrony/chrony.conf && systemctl start chrony");
    await host.clock.sync({ ...call, time: "now" });
    await until(
      "chronyd to be in step with itself",
      async () => (await machine.run("chronyc -c tracking")).stdout.includes("Normal"),
      30_000,
    );
    const status = await host.clock.status({ ...call, source: "chrony" });
    assert.deepEqual([status.timeSource, status.keptBy], ["chrony", "chronyd"]);
    assert.ok(Math.abs(status.offsetSeconds) < 0.1);
    await machine.expect("date -s '-5 hours'");
    const done = await host.clock.sync({ ...call, time: "now" });
    assert.ok(Math.abs(done.offsetSeconds - 5 * 3600) < 5, `${done.offsetSeconds}`);
    assert.equal((await host.clock.sync({ ...call, source: "chrony" })).timeSource, "chrony");
    const { offsetSeconds } = await host.clock.status({ ...call, time: "now" });
    assert.ok(Math.abs(offsetSeconds) < 0.1, `${offsetSeconds} s`);
    assert.match(
      await machine.expect("journalctl --quiet -u limiquantix-agent -o cat"),
      /the clock was stepped/,
    );
  });
});
