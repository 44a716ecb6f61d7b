import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import type { SystemdMachine } from "../support/vm/systemd/machine.ts";
import { systemdGuest } from "../support/vm/systemd/saved.ts";

/** How long things may take in an emulated guest. */
const deadlineMs = 60_000;

let guest: Awaited<ReturnType<typeof systemdGuest>>;
before(async () => {
  guest = await systemdGuest();
});

function host(machine: SystemdMachine): Promise<Client> {
  return connect({ socket: machine.agentSocket, timeoutSeconds: deadlineMs / 1000 });
}

/** Of a command that a host runs. */
async function output(client: Client, command: string): Promise<string> {
  const { stdout, stderr, exitCode } = await client.execute({ command, timeoutSeconds: 60 });
  assert.equal(exitCode, 0, `${command}: ${stderr}`);
  return stdout;
}

async function restarted(machine: SystemdMachine, before: number): Promise<number> {
  return until(
    "another agent",
    async () => {
      const pid = await machine.agentPid();
      return pid !== 0 && pid !== before && pid;
    },
    deadlineMs,
  );
}

const device = "dev-limiquantix\\x2dagent.device";

async function stateOf(machine: SystemdMachine, state: string): Promise<void> {
  await until(
    `the service to be ${state}`,
    async () => (await machine.run("systemctl is-active limiquantix-agent")).stdout === `${state}\n`,
    deadlineMs,
  );
}

describe("agent as a service of systemd", () => {
  it("answers a guest's first host, and runs each command in a cgroup below its unit's", async () => {
    await using machine = await guest.restore();
    await using client = await host(machine);
    assert.equal((await client.ready()).hostname, "guest");
    const unit = "/system.slice/limiquantix-agent.service";
    const pid = await machine.agentPid();
    assert.equal(await machine.expect(`cat /proc/${pid}/cgroup`), `0::${unit}\n`);
    const [own, other] = await Promise.all(
      ["cat /proc/self/cgroup; sleep 1", "cat /proc/self/cgroup; sleep 1"].map((line) =>
        output(client, line),
      ),
    );
    assert.match(own ?? "", new RegExp(`^0::${unit}/limiquantix-command-\\d+-\\d+\n$`));
    assert.match(other ?? "", new RegExp(`^0::${unit}/limiquantix-command-\\d+-\\d+\n$`));
    assert.notEqual(own, other);
    assert.equal(await output(client, "cat /proc/self/oom_score_adj; umask"), "0\n0022\n");
  });

  it("is back within seconds when it is killed, and when systemd restarts it", async () => {
    await using machine = await guest.restore();
    await using client = await host(machine);
    await client.ping();
    let pid = await machine.agentPid();
    for (const command of ["kill --kill-who=main --signal=KILL", "restart"]) {
      const begun = performance.now();
      await machine.expect(`systemctl ${command} limiquantix-agent`);
      pid = await restarted(machine, pid);
      await until("an answer", () => client.ping().catch(() => false as const), deadlineMs);
      assert.ok(performance.now() - begun < 30_000, command);
    }
  });

  it("leaves alone a command that restarts it, as an upgrade does", async () => {
    await using machine = await guest.restore();
    await using client = await host(machine);
    const pid = await machine.agentPid();
    await client.execute({
      command: "systemctl restart limiquantix-agent; echo upgraded >/run/upgrade",
      detach: true,
    });
    await restarted(machine, pid);
    await until(
      "the command's end",
      async () => (await machine.run("cat /run/upgrade")).stdout === "upgraded\n",
      deadlineMs,
    );
  });

  it("does not start again and again with a config that is wrong", async () => {
    await using machine = await guest.restore();
    await assert.rejects(
      machine.configureAgent("telemetry_interval_secs: never"),
      /Job for limiquantix-agent\.service failed/,
    );
    await until(
      "the service to have failed",
      async () => (await machine.run("systemctl is-failed limiquantix-agent")).stdout === "failed\n",
      deadlineMs,
    );
    assert.match(await machine.agentLog(), /telemetry_interval_secs/);
    await machine.configureAgent("telemetry_interval_secs: 1");
    await using client = await host(machine);
    await client.ping({ timeoutSeconds: 60 });
  });

  it("lives on when a command takes all memory", async () => {
    await using machine = await guest.restore();
    await using client = await host(machine);
    const pid = await machine.agentPid();
    const { exitCode } = await client.execute({ command: "tail", args: ["/dev/zero"], timeoutSeconds: 120 });
    assert.equal(exitCode, 137);
    assert.equal(await machine.agentPid(), pid);
    assert.match(
      machine.kernelLog() + (await machine.expect("dmesg")),
      /Out of memory: Killed process \d+ \(tail\)/,
    );
  });

  it("ends when its port is unplugged, is enabled or disabled with it, and starts when it is there again", async () => {
    await using machine = await guest.restore();
    await using client = await host(machine);
    await client.ping();
    await machine.unplugPort();
    await stateOf(machine, "inactive");
    await machine.expect("systemctl disable limiquantix-agent");
    await machine.plugPort();
    await until(
      "udev to have named the port",
      async () => (await machine.run(`systemctl is-active '${device}'`)).stdout === "active\n",
      deadlineMs,
    );
    assert.equal((await machine.run("systemctl is-active limiquantix-agent")).stdout, "inactive\n");
    await machine.unplugPort();
    await machine.expect("systemctl enable limiquantix-agent");
    await machine.plugPort();
    await until(
      "an answer",
      () => client.ping({ timeoutSeconds: 2 }).catch(() => false as const),
      deadlineMs,
    );
  });

  it("starts by udev where the port was there before the package", async () => {
    await using machine = await guest.restore();
    const rule = "/usr/lib/udev/rules.d/60-limiquantix-agent.rules";
    const tellUdev =
      "udevadm control --reload; udevadm trigger --subsystem-match=virtio-ports --action=change";
    await machine.expect(`systemctl stop limiquantix-agent; mv ${rule} /root/rule; ${tellUdev}`);
    await until(
      "udev to have forgotten the port",
      async () => (await machine.run(`systemctl is-active '${device}'`)).stdout === "inactive\n",
      deadlineMs,
    );
    await machine.expect(`mv /root/rule ${rule}; ${tellUdev}`);
    await stateOf(machine, "active");
  });

  it("tells systemd how it stands with its host, and the journal what it does, with priorities", async () => {
    await using machine = await guest.restore();
    await machine.configureAgent("security: {audit_logging: true}");
    const pid = await machine.agentPid();
    const status = async (): Promise<string> =>
      machine.expect("systemctl show --value --property=StatusText limiquantix-agent");
    await until(
      "nobody",
      async () => (await status()) === "the port is open, no host is attached (auto)\n",
      deadlineMs,
    );
    await using client = await host(machine);
    await client.execute({ command: "logger -p daemon.crit 'a\nb'; exit 3" });
    await until("a host", async () => (await status()) === "a host is attached (auto)\n", deadlineMs);
    await machine.expect(
      "printf '\\nnonsense: 1\\n' >>/etc/limiquantix/agent.yaml; systemctl restart limiquantix-agent || true",
    );
    const lines = async (): Promise<[string, string][]> =>
      (await machine.expect("journalctl --quiet --unit=limiquantix-agent --output=json"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, string>)
        .filter(({ _COMM }) => _COMM !== "systemd")
        .map(({ PRIORITY = "", MESSAGE = "" }) => [PRIORITY, MESSAGE]);
    const failure = /nonsense/;
    await until(
      "the failure",
      async () => (await lines()).some(([, text]) => failure.test(text)),
      deadlineMs,
    );
    const all = await lines();
    const has = (priority: string, text: RegExp): void => {
      assert.ok(
        all.some(([its, line]) => its === priority && text.test(line)),
        `${priority} ${text} in ${JSON.stringify(all)}`,
      );
    };
    has("6", new RegExp(`^limiquantix-agent starts version=\\S+ port=auto pid=${pid}$`));
    has("6", /^a host attached port=auto$/);
    has("5", /^\{"level":"info",.*"audit":\{.*"operation":"execute",.*"outcome":"ended".*\}$/);
    has("3", failure);
  });

  it("is killed when it hangs, without a core, and is back", async () => {
    await using machine = await guest.restore();
    const dropIn = "/run/systemd/system/limiquantix-agent.service.d/hurry.conf";
    await machine.expect(
      `mkdir -p "$(dirname ${dropIn})"; printf '[Service]\\nWatchdogSec=6\\n' >${dropIn}; systemctl daemon-reload; systemctl restart limiquantix-agent`,
    );
    await using client = await host(machine);
    await client.ping();
    const pid = await machine.agentPid();
    const began = performance.now();
    await until("longer than the watchdog's time", () => performance.now() - began > 8_000, 20_000);
    assert.equal(await machine.agentPid(), pid, "it was killed although it does not hang");
    await machine.expect(`kill -STOP ${pid}`);
    await restarted(machine, pid);
    await until(
      "an answer",
      () => client.ping({ timeoutSeconds: 2 }).catch(() => false as const),
      deadlineMs,
    );
    const log = await machine.expect("journalctl --quiet --no-pager --output=cat --unit=limiquantix-agent");
    assert.match(log, /Watchdog timeout[^]*status=9\/KILL[^]*result 'watchdog'/);
    assert.doesNotMatch(log, /dumped/);
  });

  it("is there in rescue mode", async () => {
    await using machine = await guest.restore();
    await using client = await host(machine);
    await client.execute({ command: "systemctl isolate rescue.target", detach: true });
    await until(
      "nothing but the rescue mode",
      async () =>
        (await client.execute({ command: "systemctl is-active multi-user.target dbus.service" })).stdout ===
        "inactive\ninactive\n",
      deadlineMs,
    );
    assert.match(
      await output(client, "systemctl is-active sysinit.target rescue.target"),
      /^active\nactive\n/,
    );
  });

  it("is stopped late, and started early, when the guest reboots", async () => {
    await using machine = await guest.restore();
    await using client = await host(machine);
    const bootId = await output(client, "cat /proc/sys/kernel/random/boot_id");
    await client.execute({ command: "touch /root/kept; systemctl reboot", detach: true });
    await machine.rebooted();
    await machine.booted();
    await until(
      "an answer",
      () => client.ping({ timeoutSeconds: 2 }).catch(() => false as const),
      deadlineMs,
    );
    assert.notEqual(await output(client, "cat /proc/sys/kernel/random/boot_id"), bootId);
    await output(client, "test -e /root/kept");
    const stopped = await output(client, "journalctl --boot=-1 --output=cat | grep -E '^Stopped '");
    const at = (unit: string): number => {
      const position = stopped.split("\n").findIndex((line) => line.startsWith(`Stopped ${unit}`));
      assert.ok(position >= 0, `${unit} in ${stopped}`);
      return position;
    };
    for (const unit of ["systemd-logind", "systemd-networkd", "test-console"]) {
      assert.ok(at("limiquantix-agent") > at(unit), `${unit} in ${stopped}`);
    }
    const started = async (unit: string): Promise<number> =>
      Number(await output(client, `systemctl show --value --property=ActiveEnterTimestampMonotonic ${unit}`));
    assert.ok((await started("limiquantix-agent")) < (await started("sysinit.target")));
  });
});
