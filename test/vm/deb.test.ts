import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { newerVersion, version } from "../support/deb.ts";
import { until } from "../support/until.ts";
import type { SystemdMachine } from "../support/vm/systemd/machine.ts";
import { systemdGuest } from "../support/vm/systemd/saved.ts";

/** How long things may take in an emulated guest. */
const deadlineMs = 120_000;

let guest: Awaited<ReturnType<typeof systemdGuest>>;
before(async () => {
  guest = await systemdGuest(); // the .deb was installed in it by dpkg, and udev has started the agent
});

const host = (machine: SystemdMachine): Promise<Client> =>
  connect({ socket: machine.agentSocket, timeoutSeconds: deadlineMs / 1000 });

async function must(machine: SystemdMachine, command: string): Promise<string> {
  const { stdout, exitCode } = await machine.run(command, { timeoutSeconds: deadlineMs / 1000 });
  assert.equal(exitCode, 0, `${command}: ${stdout}`);
  return stdout;
}

const installed = (machine: SystemdMachine): Promise<string> =>
  must(machine, "dpkg-query --show --showformat '${Status} ${Version}' limiquantix-guest-agent");

/** Files that are of the agent, wherever they are. */
const remains = (machine: SystemdMachine): Promise<string> =>
  must(
    machine,
    "find / -xdev \\( -path /proc -o -path /sys -o -path /var/log -o -path /var/lib/dpkg \\) -prune -o -iname '*limiquantix*' -print; find /etc/limiquantix 2>/dev/null | sort; true",
  );

async function anotherAgent(machine: SystemdMachine, before: number): Promise<void> {
  await until("another agent", async () => ![0, before].includes(await machine.agentPid()), deadlineMs);
}

describe("the .deb in a guest with systemd", () => {
  it("is installed with its agent enabled, started by udev and not by dpkg", async () => {
    await using machine = await guest.restore();
    assert.equal(await installed(machine), `install ok installed ${version}`);
    assert.match(await must(machine, "systemctl is-enabled limiquantix-agent"), /^enabled/);
    await using client = await host(machine);
    assert.equal((await client.ready()).version, version);
    assert.equal(await must(machine, "stat -c '%U %a' /var/lib/limiquantix"), "root 700\n");
    assert.equal(
      await must(machine, "dpkg --verify limiquantix-guest-agent | grep -v ' /usr/share/' || true"),
      "",
    );
  });

  it("is upgraded with the administrator's config kept, and the agent restarted", async () => {
    await using machine = await guest.restore();
    await machine.configureAgent("telemetry_interval_secs: 7 # ours");
    const pid = await machine.agentPid();
    await must(machine, "dpkg --install /agent/newer.deb </dev/null");
    assert.equal(await installed(machine), `install ok installed ${newerVersion}`);
    await anotherAgent(machine, pid);
    assert.match(await must(machine, "cat /etc/limiquantix/agent.yaml"), /secs: 7 # ours/);
    await using client = await host(machine);
    await client.ping({ timeoutSeconds: 60 });
  });

  it("is upgraded by the host through the agent, which restarts when that has its result", async () => {
    await using machine = await guest.restore();
    await using client = await host(machine);
    const pid = await machine.agentPid();
    const { exitCode, stdout, stderr } = await client.execute({
      command: "dpkg --install /agent/newer.deb",
      timeoutSeconds: 120,
    });
    assert.equal(exitCode, 0, stdout + stderr);
    assert.match(stdout, /restarts when this command of the host has ended/);
    await anotherAgent(machine, pid);
    assert.equal(await installed(machine), `install ok installed ${newerVersion}`);
    await until(
      "an answer",
      () => client.ping({ timeoutSeconds: 5 }).catch(() => false as const),
      deadlineMs,
    );
  });

  it("is removed but for the config, and purged with that; a disabled agent stays disabled", async () => {
    await using machine = await guest.restore();
    await must(machine, "systemctl disable limiquantix-agent");
    await must(machine, "dpkg --install /agent/newer.deb");
    assert.match((await machine.run("systemctl is-enabled limiquantix-agent")).stdout, /^disabled/);
    await must(machine, "dpkg --remove limiquantix-guest-agent");
    assert.equal(await machine.agentPid(), 0);
    assert.equal(await remains(machine), "/etc/limiquantix\n/etc/limiquantix\n/etc/limiquantix/agent.yaml\n");
    await must(machine, "dpkg --purge limiquantix-guest-agent");
    assert.equal(await remains(machine), "");
    assert.equal((await machine.run("systemctl --failed --quiet")).stdout, "");

    await must(machine, "dpkg --install /agent/agent.deb");
    await using client = await host(machine);
    await client.ping({ timeoutSeconds: 60 });
  });
});
