import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { Archive } from "../support/install/archive.ts";
import { until } from "../support/until.ts";
import { OpenRcMachine } from "../support/vm/openrc/guest.ts";

/** How long things may take in an emulated guest. */
const deadlineMs = 60_000;
const call = { timeoutSeconds: 30 };

let archive: Archive;
before(() => {
  archive = new Archive("linux-x64");
});
after(() => {
  archive[Symbol.dispose]();
});

describe("agent as a service of OpenRC", () => {
  let machine: OpenRcMachine;
  let host: Client;
  before(async () => {
    machine = await OpenRcMachine.boot(archive.folder);
    host = await connect({ socket: machine.agentSocket, reconnect: true, timeoutSeconds: deadlineMs / 1000 });
  });
  after(async () => {
    await host.close();
    await machine.stop();
  });

  const answer = (): Promise<unknown> =>
    until("an answer", () => host.ping({ timeoutSeconds: 5 }).catch(() => undefined), deadlineMs);

  /** Waits for an agent that is another process, and answers. */
  async function anotherThan(pid: number): Promise<number> {
    const other = await until(
      "another agent",
      async () => {
        const now = await machine.agentPid();
        return now !== 0 && now !== pid && now;
      },
      deadlineMs,
    );
    await answer();
    return other;
  }

  it("answers where install.sh has put it into the image, and is back when it is killed", async () => {
    assert.equal((await host.ready(call)).hostname, "guest");
    assert.match(await machine.expect("rc-service limiquantix-agent status"), /started/);
    const pid = await machine.agentPid();
    await machine.expect(`kill -9 ${pid}`);
    await anotherThan(pid);
  });

  it("is upgraded by a command of its host, which goes on while the agent is restarted", async () => {
    const pid = await machine.agentPid();
    await host.execute({
      command: "/archive/install.sh >/run/upgrade.log 2>&1; echo $? >/run/upgrade",
      detach: true,
      ...call,
    });
    await anotherThan(pid);
    const done = (): Promise<string> => machine.run("cat /run/upgrade").then(({ stdout }) => stdout);
    await until("the upgrade to be done", async () => (await done()) !== "", deadlineMs);
    assert.equal(await done(), "0\n", await machine.expect("cat /run/upgrade.log"));
  });

  it("is taken away, and installed while the guest runs", async () => {
    assert.match(await machine.expect("/archive/install.sh --uninstall"), /not installed any more/);
    assert.equal(await machine.agentPid(), 0);
    assert.equal((await machine.run("rc-service --exists limiquantix-agent")).exitCode, 1);
    assert.match(await machine.expect("/archive/install.sh"), /is installed \(init: openrc\)/);
    await anotherThan(0);
  });

  it("starts the guest anew, and switches it off", async () => {
    await host.power.reboot(call);
    await machine.rebooted();
    await answer();
    await host.power.poweroff(call);
    await machine.poweredOff();
  });
});
