import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, HostError, connect } from "../../src/host/index.ts";
import { ctl, finished, startCtl } from "../support/ctl.ts";
import { until } from "../support/until.ts";
import type { SystemdMachine } from "../support/vm/systemd/machine.ts";
import { systemdGuest } from "../support/vm/systemd/saved.ts";

/** How long things may take in an emulated guest. */
const deadlineMs = 60_000;

let guest: Awaited<ReturnType<typeof systemdGuest>>;
let folder: string;
before(async () => {
  guest = await systemdGuest();
  folder = mkdtempSync(path.join(tmpdir(), "vm-freeze-"));
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function host(machine: SystemdMachine): Promise<Client> {
  return connect({ socket: machine.agentSocket, timeoutSeconds: deadlineMs / 1000 });
}

/** With an ext4 file system at /scratch. */
async function guestWithScratch(): Promise<SystemdMachine> {
  const machine = await guest.restore();
  await machine.expect("mount /dev/disk/by-id/virtio-scratch /scratch");
  return machine;
}

/** Writes to a file in the guest, and waits for that in the guest only. */
async function startWriter(machine: SystemdMachine, file: string) {
  const told = `/run/wrote${file.replaceAll("/", "-")}`;
  await machine.expect(
    `setsid sh -c 'echo x >${file} && cut -d " " -f 1 /proc/uptime >${told}' </dev/null >/dev/null 2>&1 &`,
  );
  const look = async (): Promise<number | undefined> => {
    const { stdout } = await machine.run(`cat ${told} 2>/dev/null`);
    return stdout.endsWith("\n") ? Number(stdout) : undefined;
  };
  return {
    hasWritten: async () => (await look()) !== undefined,
    /** Gives the guest's uptime at which the file was written, in seconds. */
    written: () => until(`${file} to be written`, look, deadlineMs),
  };
}

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    assert.ok(error instanceof HostError, String(error));
    return error.agentCode ?? error.code;
  }
}

/** Of a disk as it is now, from outside the guest: the path of an image. */
async function snapshot(machine: SystemdMachine, disk: string, name: string): Promise<string> {
  const filename = path.join(folder, name);
  const disks = (await machine.qmp.execute("query-block")) as {
    device: string;
    inserted?: { image: { "virtual-size": number } };
  }[];
  const bytes = disks.find(({ device }) => device === disk)?.inserted?.image["virtual-size"] ?? 0;
  writeFileSync(filename, "");
  truncateSync(filename, bytes);
  const file = { driver: "file", filename };
  await machine.qmp.execute("blockdev-add", { driver: "raw", "node-name": name, file });
  await machine.qmp.execute("blockdev-backup", { device: disk, "job-id": name, target: name, sync: "full" });
  await machine.qmp.event("BLOCK_JOB_COMPLETED", ({ device }) => device === name, deadlineMs);
  await machine.qmp.execute("blockdev-del", { "node-name": name });
  return filename;
}

/** Whether an ext4 image would have to be repaired before it is mounted. */
function needsRecovery(image: string): boolean {
  return /^Filesystem features:.*needs_recovery/m.test(
    execFileSync("dumpe2fs", ["-h", image], { encoding: "utf8" }),
  );
}

async function uptime(machine: SystemdMachine): Promise<number> {
  return Number((await machine.expect("cut -d ' ' -f 1 /proc/uptime")).trim());
}

describe("freezing a guest", () => {
  it("holds up who writes, until it is thawed", async () => {
    await using machine = await guestWithScratch();
    await using client = await host(machine);
    const freeze = await client.fileSystems.freeze({ mountPoints: ["/scratch"] });
    assert.deepEqual(
      freeze.fileSystems.map(({ mountPoint, filesystem, frozen, error }) => [
        mountPoint,
        filesystem,
        frozen,
        error,
      ]),
      [["/scratch", "ext4", true, ""]],
    );
    const writer = await startWriter(machine, "/scratch/file");
    assert.equal(await code(client.files.writeFile("/root/other", "x")), "QXGA-5007");
    assert.equal(await code(client.fileSystems.freeze()), "QXGA-5007");
    assert.equal(await code(client.fileSystems.thaw({ token: "other" })), "QXGA-5008");
    assert.equal(await writer.hasWritten(), false);
    assert.equal((await client.fileSystems.status()).isFrozen, true);
    const { mountPoints, frozenMs } = await client.fileSystems.thaw({ token: freeze.token });
    assert.deepEqual(mountPoints, ["/scratch"]);
    assert.ok(frozenMs > 0);
    await writer.written();
    await client.files.writeFile("/scratch/other", "x");
    assert.equal(
      await machine.expect("test ! -e /run/limiquantix/frozen.json && pgrep -c lqx-guard || true"),
      "0\n",
    );
  });

  it("with its root leaves the agent able to answer, and its log whole", async () => {
    await using machine = await guest.restore();
    await machine.configureAgent("telemetry_interval_secs: 1\nlog_file: /var/log/agent.log");
    await using client = await host(machine);
    const freeze = await client.fileSystems.freeze();
    assert.deepEqual(
      freeze.fileSystems.map(({ mountPoint, frozen }) => [mountPoint, frozen]),
      [["/", true]],
    );
    const writer = await startWriter(machine, "/root/file");
    for (let i = 0; i < 20; i++) await client.ping({ timeoutSeconds: 10 });
    let reports = 0;
    for await (const { disks } of client.reports({ signal: AbortSignal.timeout(deadlineMs) })) {
      assert.ok(disks.length > 0);
      if (++reports === 4) break;
    }
    assert.equal(await code(client.execute({ command: "true" })), "QXGA-5007");
    assert.equal(await code(client.files.stat("/etc")), "QXGA-5007");
    await client.capabilities();
    await client.close();
    await using again = await host(machine); // a new session too
    assert.equal((await again.fileSystems.status()).isFrozen, true);
    assert.equal(await writer.hasWritten(), false);
    await again.fileSystems.thaw({ token: freeze.token });
    await writer.written();
    await until("the log", async () => {
      const log = await machine.expect("cat /var/log/agent.log");
      return /file systems are frozen[^]*execute[^]*a host began a session[^]*file systems are thawed/.test(
        log,
      );
    });
  });

  it("is over at its time, also when the agent is stopped in its tracks", async () => {
    await using machine = await guestWithScratch();
    await using client = await host(machine);
    const first = await client.fileSystems.freeze({ mountPoints: ["/scratch"], timeoutSeconds: 2 });
    const writer = await startWriter(machine, "/scratch/file");
    await writer.written();
    await until("the status", async () => (await client.fileSystems.status()).lastThaw === "timeout");
    assert.equal((await client.fileSystems.status()).lastWasCutShort, true);
    assert.equal(await code(client.fileSystems.thaw({ token: first.token })), "QXGA-5008");

    const second = await client.fileSystems.freeze({ mountPoints: ["/scratch"], timeoutSeconds: 3 });
    const pid = await machine.agentPid();
    await machine.expect(`kill -STOP ${pid}`);
    const other = await startWriter(machine, "/scratch/other");
    await other.written();
    await machine.expect(`kill -CONT ${pid}`);
    // The agent's own timer is late, or this is: somebody else has thawed it either way.
    assert.equal(await code(client.fileSystems.thaw({ token: second.token })), "QXGA-5008");
    assert.equal((await client.fileSystems.status()).lastWasCutShort, true);
  });

  it("is over when the agent is killed, and the next one knows", async () => {
    await using machine = await guest.restore();
    await using client = await host(machine);
    const { token } = await client.fileSystems.freeze({ timeoutSeconds: 600 });
    const writer = await startWriter(machine, "/root/file");
    const pid = await machine.agentPid();
    const killed = await uptime(machine);
    await machine.expect(`kill -KILL ${pid}`);
    const wrote = await writer.written();
    assert.ok(wrote - killed < 2, `${wrote - killed} s`);
    await until(
      "another agent",
      async () => await client.ping({ timeoutSeconds: 2 }).catch(() => false as const),
      deadlineMs,
    );
    const status = await client.fileSystems.status();
    assert.deepEqual([status.isFrozen, status.lastThaw, status.lastWasCutShort], [false, "restart", true]);
    assert.equal(await code(client.fileSystems.thaw({ token })), "QXGA-5008");
    assert.notEqual(await machine.agentPid(), pid);
  });

  it("is over as soon as the next agent starts when its guard was killed too, and hooks are told", async () => {
    await using machine = await guest.restore();
    await machine.expect(
      `mkdir -p /etc/limiquantix/pre-freeze.d /etc/limiquantix/post-thaw.d
      for place in pre-freeze post-thaw; do
        printf '#!/bin/sh\\necho "$1" >>/run/hooks\\n' >/etc/limiquantix/$place.d/10-db
        chmod 755 /etc/limiquantix/$place.d/10-db
      done`,
    );
    await using client = await host(machine);
    const { hooks } = await client.fileSystems.freeze({ timeoutSeconds: 600 });
    assert.deepEqual(
      hooks.map(({ script, exitCode }) => [script, exitCode]),
      [["/etc/limiquantix/pre-freeze.d/10-db", 0]],
    );
    const writer = await startWriter(machine, "/root/file");
    assert.equal(await writer.hasWritten(), false);
    const pid = await machine.agentPid();
    await machine.expect(`kill -KILL $(pgrep lqx-guard) ${pid}`);
    const wrote = await writer.written();
    await until(
      "another agent",
      () => client.ping({ timeoutSeconds: 2 }).catch(() => false as const),
      deadlineMs,
    );
    const property = "systemctl show --value --property=ExecMainStartTimestampMonotonic limiquantix-agent";
    const started = Number(await machine.expect(property)) / 1e6;
    // Emulated, Node.js alone takes more than a second until it runs the first line.
    assert.ok(wrote > started && wrote - started < 5, `${wrote - started} s`);
    await until(
      "the hook",
      async () => (await machine.run("cat /run/hooks")).stdout === "freeze\nthaw\n",
      deadlineMs,
    );
    await until(
      "the status",
      async () => (await client.fileSystems.status().catch(() => undefined))?.lastThaw === "restart",
      deadlineMs,
    );
  });

  it("takes each file system once, in an order in which none hangs", async () => {
    await using machine = await guestWithScratch();
    await machine.expect(
      `set -e
      cd /run
      mkfs.btrfs -q /dev/disk/by-id/virtio-empty && mkdir -p vol home image pub lower merged && mount /dev/disk/by-id/virtio-empty vol
      btrfs -q subvolume create vol/@home || btrfs subvolume create vol/@home
      mount -o subvol=@home /dev/disk/by-id/virtio-empty home
      truncate -s 20M home/image.ext4 && mke2fs -q -t ext4 home/image.ext4 && mount -o loop home/image.ext4 image
      mount --bind /scratch pub
      mkdir /scratch/upper /scratch/work
      mount -t overlay overlay -o lowerdir=/run/lower,upperdir=/scratch/upper,workdir=/scratch/work merged`,
    );
    await using client = await host(machine);
    const { token, fileSystems } = await client.fileSystems.freeze();
    const places = fileSystems.map(({ mountPoint, frozen }) => `${mountPoint}${frozen ? "" : " not"}`);
    assert.deepEqual([...places].sort(), ["/", "/run/image", "/run/vol", "/scratch"]);
    assert.ok(places.indexOf("/run/image") < places.indexOf("/run/vol"));
    assert.equal(places.at(-1), "/");
    const writers = [];
    for (const place of ["/run/vol", "/run/home", "/run/image", "/run/pub", "/run/merged", "/root"])
      writers.push(await startWriter(machine, `${place}/new`));
    for (const { hasWritten } of writers) assert.equal(await hasWritten(), false);
    const { mountPoints } = await client.fileSystems.thaw({ token });
    assert.deepEqual(mountPoints, [...places].reverse());
    for (const { written } of writers) await written();

    const named = await client.fileSystems.freeze({
      mountPoints: ["/run/pub", "/run/home", "/run/merged", "/node", "/proc"],
    });
    assert.deepEqual(named.fileSystems.map(({ mountPoint, frozen }) => [mountPoint, frozen]).sort(), [
      ["/node", false],
      ["/proc", false],
      ["/run/merged", false],
      ["/run/vol", true],
      ["/scratch", true],
    ]);
    await client.fileSystems.thaw({ token: named.token });
    assert.equal(await code(client.fileSystems.freeze({ mountPoints: ["/etc"] })), "QXGA-5010");
  });

  it("thaws all again when one is frozen by somebody else", async () => {
    await using machine = await guestWithScratch();
    await using client = await host(machine);
    await machine.expect("fsfreeze --freeze /scratch");
    await assert.rejects(
      client.fileSystems.freeze(),
      /QXGA-5005 cannot freeze \/scratch: it is frozen already, by somebody else/,
    );
    await machine.expect("fsfreeze --unfreeze /scratch && echo x >/scratch/file && echo x >/root/file");
  });
});

describe("with-freeze", () => {
  const command = (machine: SystemdMachine, ...words: string[]): string[] => [
    "with-freeze",
    "--socket",
    machine.agentSocket,
    ...words,
  ];
  /** A command that says when it has begun, and goes on when it is told. */
  const waiting = (name: string): { words: string[]; begun: () => boolean; goOn: () => void } => {
    const at = path.join(folder, name);
    return {
      words: ["sh", "-c", `: >${at}.begun; while [ ! -e ${at}.go ]; do sleep 0.05; done; exit 7`],
      begun: () => existsSync(`${at}.begun`),
      goOn: () => {
        writeFileSync(`${at}.go`, "");
      },
    };
  };

  it("makes a snapshot that needs no repair, and without it one does", async () => {
    await using machine = await guestWithScratch();
    await machine.expect(
      "setsid sh -c 'while :; do echo x >>/scratch/busy; cp /bin/busybox /scratch/copy; sync; done' >/dev/null 2>&1 </dev/null &",
    );
    const job = waiting("snapshot");
    const running = await startCtl(command(machine, "--", ...job.words));
    const end = finished(running);
    await until("the command to begin", job.begun, deadlineMs);
    const scratch = await snapshot(machine, "scratch", "frozen-scratch");
    const root = await snapshot(machine, "root", "frozen-root");
    job.goOn();
    const { code: exit, stderr } = await end;
    assert.deepEqual([exit, stderr], [7, ""]);
    for (const image of [scratch, root]) {
      assert.equal(needsRecovery(image), false, image);
      execFileSync("e2fsck", ["-f", "-n", image]);
    }
    assert.equal(needsRecovery(await snapshot(machine, "scratch", "live-scratch")), true);
    await machine.expect("echo x >/scratch/file && echo x >/root/file");
  });

  it("thaws when it is told to end, and passes that on", async () => {
    await using machine = await guestWithScratch();
    const job = waiting("ended");
    const running = await startCtl(command(machine, "-m", "/scratch", "--", ...job.words));
    const end = finished(running);
    await until("the command to begin", job.begun, deadlineMs);
    running.kill("SIGTERM");
    assert.equal((await end).code, 143);
    await machine.expect("echo x >/scratch/file");
  });

  it("says when the guest thawed too early", async () => {
    await using machine = await guestWithScratch();
    const early = await ctl(command(machine, "-m", "/scratch", "--timeout", "1s", "--", "sleep", "8"));
    assert.equal(early.code, 8, early.stderr);
    assert.match(early.stderr, /thawed before the command had ended: what it made is not consistent/);

    const job = waiting("killed");
    const running = await startCtl(command(machine, "-m", "/scratch", "--json", "--", ...job.words));
    const end = finished(running);
    await until("the command to begin", job.begun, deadlineMs);
    await machine.expect(`kill -KILL ${await machine.agentPid()}`);
    job.goOn();
    const { code: exit, stdout, stderr } = await end;
    assert.match(stderr, /not consistent/);
    assert.deepEqual([exit, stdout], [7, '{"exitCode":7,"consistent":false,"frozenMs":null}\n']);
  });

  it("runs nothing when the guest cannot be frozen", async () => {
    await using machine = await guestWithScratch();
    const { code: exit, stderr } = await ctl(
      command(machine, "-m", "/etc", "--", "touch", path.join(folder, "never")),
    );
    assert.equal(exit, 1);
    assert.match(stderr, /QXGA-5010 \/etc is no mount point/);
    assert.equal(existsSync(path.join(folder, "never")), false);
  });
});

describe("the other commands", () => {
  it("freeze, tell, thaw and trim", async () => {
    await using machine = await guestWithScratch();
    const run = (...words: string[]) => ctl([...words, "--socket", machine.agentSocket]);
    assert.equal((await run("freeze-status")).stdout, "nothing is frozen\n");
    const frozen = await run("freeze", "-m", "/scratch", "-m", "/node");
    const [, token = ""] = /^token: (\S+)$/m.exec(frozen.stdout) ?? [];
    assert.match(frozen.stdout, /\/scratch +ext4 +\/dev\/vd\w +frozen\n/);
    assert.match(frozen.stdout, /\/node +ext4 +\/dev\/vd\w +not frozen: it is read-only\n/);
    assert.equal((await run("thaw")).code, 2);
    assert.equal((await run("thaw", "--token", "x")).code, 1);
    const thawed = await run("thaw", "--token", token);
    assert.match(thawed.stdout, /^thawed: \/scratch \(frozen for /);
    await run("freeze", "-m", "/scratch");
    assert.equal((await run("thaw", "--force")).code, 0);
    const trimmed = await run("trim");
    assert.equal(trimmed.code, 0);
    assert.match(trimmed.stdout, /\/scratch +\d/);
    const named = await run("trim", "-m", "/node");
    assert.equal(named.code, 1);
    assert.match(named.stdout, /QXGA-5010 cannot trim \/node: it is read-only/);
  });
});
