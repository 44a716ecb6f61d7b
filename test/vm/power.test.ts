import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Client } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import { withHost } from "../support/vm/with-host.ts";
import type { Machine } from "../support/vm/machine.ts";
import { savedGuest } from "../support/vm/saved.ts";

/** How long the agent may take to be there in an emulated guest. */
const startSeconds = 60;
const call = { timeoutSeconds: 30 };

let guest: Awaited<ReturnType<typeof savedGuest>>;
before(async () => {
  guest = await savedGuest();
});

async function guestWithHost(): Promise<AsyncDisposable & { machine: Machine; host: Client; pid: number }> {
  const machine = await guest.restore();
  return withHost(machine, async () => ({ pid: await machine.startAgent() }));
}

describe("the power of a guest", () => {
  it("goes off, and the host has its answer before", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    assert.deepEqual(await host.power.poweroff(call), { dueAt: null, replaced: false });
    await machine.qmp.event("SHUTDOWN", ({ reason }) => reason === "guest-shutdown");
  });

  it("starts anew", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    await host.power.reboot(call);
    await machine.qmp.event("RESET", ({ reason }) => reason === "guest-reset");
  });

  it("halts, and QEMU goes on", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    await host.power.halt(call);
    await until("the kernel to halt", () => machine.kernelLog().includes("System halted"), 30_000);
    assert.equal(((await machine.qmp.execute("query-status")) as { status: string }).status, "running");
  });

  it("goes off later, though the agent is killed and its clock is set meanwhile, and not when it is called off", async () => {
    await using attached = await guestWithHost();
    const { machine, host, pid } = attached;
    await host.power.reboot({ ...call, delaySeconds: 3600 });
    assert.equal(await host.power.cancel(call), true);
    assert.equal((await host.power.status(call)).pending, null);
    const asked = performance.now();
    await host.power.poweroff({ ...call, delaySeconds: 25, message: "later" });
    await host.clock.sync({ ...call, time: new Date(Date.now() + 7_200_000) });
    await machine.expect(`kill -9 ${pid}`);
    await machine.startAgent();
    const { pending } = await until(
      "the agent to be there again",
      () => host.power.status({ timeoutSeconds: 5 }).catch(() => undefined),
      startSeconds * 1000,
    );
    assert.deepEqual([pending?.kind, pending?.message, pending?.underWay], ["poweroff", "later", false]);
    await machine.qmp.event("SHUTDOWN", ({ reason }) => reason === "guest-shutdown");
    const seconds = (performance.now() - asked) / 1000;
    assert.ok(seconds > 23 && seconds < 40, `after ${seconds} s`);
  });

  it("is refused where there is no tool for it", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    await machine.expect("rm /bin/poweroff");
    await assert.rejects(host.power.poweroff(call), {
      agentCode: "QXGA-5001",
      message: /nothing that takes it down/,
    });
    assert.equal((await host.ping(call)).sequence, 1);
  });
});
