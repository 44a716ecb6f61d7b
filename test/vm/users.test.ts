import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, HostError, connect } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import { savedGuest } from "../support/vm/saved.ts";
import type { SystemdMachine } from "../support/vm/systemd/machine.ts";
import { systemdGuest } from "../support/vm/systemd/saved.ts";

/** How long things may take in an emulated guest. */
const deadlineMs = 60_000;

/** Of the password "from a hash". */
const hash =
  "$6$saltsalt$HgMxG0ykRJLN3c0hewJK2yUStGRAIDthCUu4A5JWxD2cxPDZ4lWSVA7udKY0w.yJvOhcD8kK.6dsMLTKsYhDq0";

let guest: Awaited<ReturnType<typeof systemdGuest>>;
before(async () => {
  guest = await systemdGuest();
});

async function guestWithHost(): Promise<AsyncDisposable & { machine: SystemdMachine; client: Client }> {
  const machine = await guest.restore();
  try {
    const client = await connect({ socket: machine.agentSocket, timeoutSeconds: deadlineMs / 1000 });
    return {
      machine,
      client,
      [Symbol.asyncDispose]: async () => {
        await client.close();
        await machine.stop();
      },
    };
  } catch (error) {
    await machine.stop();
    throw error;
  }
}

/** What a terminal shows when another user becomes alice, as she does who logs in. */
async function su(client: Client, password: string): Promise<string> {
  const terminal = { columns: 200, rows: 24 };
  const command = { command: "su alice -c 'echo I am $(id -un)'; echo ended with $?", shell: true };
  const remote = await client.spawn({ ...command, user: "nobody", terminal, timeoutSeconds: 60 });
  let shown = "";
  let typed = false;
  remote.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (!typed && shown.includes("Password: ")) {
      typed = true;
      remote.stdin?.write(`${password}\r`);
    }
    // What comes behind a password that has expired.
    if (/current password: $/i.test(shown)) void remote.kill();
  });
  await remote.exit;
  return shown;
}

async function agentCodeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof HostError, String(error));
  return error.message;
}

const loggedIn = /I am alice\r?\n/;

describe("passwords in a guest", () => {
  it("are set, so that the new one logs in and the old one does not", async () => {
    await using attached = await guestWithHost();
    const { machine, client } = attached;
    assert.match(await su(client, "wonderland"), loggedIn);
    await client.users.setPassword("alice", "päss:wörd $(reboot) '\"");
    assert.match(await su(client, "wonderland"), /Authentication failure/i);
    assert.match(await su(client, "päss:wörd $(reboot) '\""), loggedIn);
    await client.users.setPassword("alice", hash, { hashed: true });
    assert.equal((await machine.expect("getent shadow alice | cut -d: -f2")).trim(), hash);
    assert.match(await su(client, "from a hash"), loggedIn);
    assert.doesNotMatch(await su(client, hash), loggedIn);

    await client.users.setPassword("alice", "for a day", { expire: true });
    assert.match(await su(client, "for a day"), /required to change your password/);
    await client.users.setPassword("alice", hash, { hashed: true });
    assert.match(await su(client, "from a hash"), loggedIn);
    await client.users.setPassword("alice", hash, { hashed: true, expire: true });
    assert.match(await su(client, "from a hash"), /required to change your password/);
    await client.users.setPassword("alice", "at last");
    assert.match(await su(client, "at last"), loggedIn);

    await machine.expect("mount --bind /bin/false /usr/bin/chage");
    const text = await agentCodeOf(client.users.setPassword("alice", "too late", { expire: true }));
    assert.match(text, /^QXGA-5003 .*chage failed \(exit code 1\); the earlier password holds$/);
    assert.match(await su(client, "at last"), loggedIn);
    await machine.expect("umount /usr/bin/chage");
    await machine.expect("pwck -rq || [ $? = 2 ]"); // 2: some service has no home
  });

  it("wait while others have the user database locked, and tell who when it takes too long", async () => {
    await using attached = await guestWithHost();
    const { machine, client } = attached;
    // lckpwdf(3), which PAM waits for, and the lock files of the shadow suite.
    const lock = (seconds: number): string =>
      `perl -MFcntl -e 'open(F, ">>/etc/.pwd.lock"); $lock = pack("ssx4qqix4", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLKW, $lock) or die; ` +
      `open(R, ">/run/locked"); close(R); sleep ${seconds}'`;
    const locked = `until [ -e /run/locked ]; do sleep 0.1; done; rm /run/locked`;
    await machine.expect(`(${lock(5)}) >/dev/null 2>&1 & ${locked}`);
    let started = performance.now();
    await client.users.setPassword("alice", "after the lock");
    assert.ok(performance.now() - started > 3000, "it did not wait");
    assert.match(await su(client, "after the lock"), loggedIn);

    await machine.expect("sleep 5 & echo -n $! >/etc/shadow.lock");
    started = performance.now();
    await client.users.setPassword("alice", hash, { hashed: true, expire: true });
    assert.ok(performance.now() - started > 3000, "it did not wait");
    assert.match(await su(client, "from a hash"), /required to change your password/);

    const before = await machine.expect("getent shadow alice");
    await machine.expect(`(${lock(100)}) >/dev/null 2>&1 & ${locked}`);
    started = performance.now();
    const text = await agentCodeOf(client.users.setPassword("alice", "never set", { timeoutSeconds: 90 }));
    assert.match(text, /^QXGA-5003 .*has been locked by perl \(process \d+\) for too long/);
    assert.ok(performance.now() - started < 60_000);
    await machine.expect("pkill perl");
    assert.equal(await machine.expect("getent shadow alice"), before);
  });

  it("are nowhere but in the shadow", async () => {
    await using attached = await guestWithHost();
    const { machine, client } = attached;
    await client.close();
    await machine.configureAgent("log_level: trace\nsecurity:\n  audit_logging: true\n");
    await using other = await connect({ socket: machine.agentSocket, timeoutSeconds: 60 });
    await machine.expect(
      "(while :; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; done >/run/seen 2>/dev/null) & true",
    );
    await other.users.setPassword("alice", "quite-secret", { expire: true });
    await other.users.setPassword("alice", hash, { hashed: true });
    for (const [user, secret] of [
      ["no-such-user", "quite-secret"],
      ["daemon", "quite-secret\nroot:x"],
      ["alice", "quite-secret\0"],
    ] as const) {
      assert.doesNotMatch(await agentCodeOf(other.users.setPassword(user, secret)), /quite-secret/);
    }
    const log = await machine.agentLog();
    assert.match(log, /"operation":"reset_password","target":"alice","session":"\w+","outcome":"done"/);
    assert.match(log, /"target":"no-such-user".*"outcome":"refused","error":"QXGA-3005/);
    assert.doesNotMatch(log, /quite-secret|HgMxG0ykRJLN/);
    const secrets = "grep -cae 'quite-secret' -e 'HgMxG0ykRJLN'";
    assert.equal((await machine.run(`${secrets} /run/seen`)).stdout.trim(), "0");
    assert.ok(Number(await machine.expect("stat -c %s /run/seen")) > 10_000);

    // No core of the agent, also when a command has become another user and where cores go into a pipe.
    await machine.expect(
      "echo 2 >/proc/sys/fs/suid_dumpable; printf '#!/bin/sh\\ncat >/run/piped.$1\\n' >/run/dump; chmod +x /run/dump",
    );
    await other.execute({ command: "true", user: "alice" });
    for (const pattern of ["|/run/dump %p", "/run/core.%p"]) {
      await machine.expect(`echo '${pattern}' >/proc/sys/kernel/core_pattern`);
      await machine.run("ulimit -c unlimited; sh -c 'kill -SEGV $$'");
      const cores = "ls /run | grep -cE '^(piped|core)'";
      await until(
        "a core of another",
        async () => Number((await machine.run(cores)).stdout) === 1,
        deadlineMs,
      );
      await machine.expect("rm /run/piped.* /run/core.* 2>/dev/null; true");
      const pid = await machine.agentPid();
      await machine.expect(`kill -SEGV ${pid}`);
      await until(
        "the agent to be back",
        async () => ![0, pid].includes(await machine.agentPid()),
        deadlineMs,
      );
      assert.equal(Number((await machine.run(cores)).stdout), 0, pattern);
    }
  });
});

describe("SSH keys in a guest", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "keys-"));
    for (const type of ["ed25519", "rsa"]) {
      const file = path.join(folder, type);
      execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", `of ${type}`, "-f", file]);
    }
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const publicKey = (type: string): string => readFileSync(path.join(folder, `${type}.pub`), "utf8").trim();

  it("log in as soon as they are added, and not any more when they are removed", async () => {
    await using attached = await guestWithHost();
    const { machine, client } = attached;
    const { users } = client;
    for (const type of ["ed25519", "rsa"])
      await client.files.upload(path.join(folder, type), `/run/${type}`, { mode: 0o600 });
    await machine.expect(
      "ssh-keygen -A && mkdir -p /run/sshd && /usr/sbin/sshd -o StrictModes=yes -E /run/sshd.log",
    );
    const login = async (type: string): Promise<string> => {
      const options = "-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";
      return (
        await machine.run(`ssh -q ${options} -i /run/${type} alice@127.0.0.1 id -un 2>&1`)
      ).stdout.trim();
    };
    assert.deepEqual(await users.sshKeys("alice"), []);
    assert.match(await login("ed25519"), /Permission denied|^$/);
    const ed25519 = publicKey("ed25519");
    const withOptions = `command="echo only this",no-pty ${publicKey("rsa")}`;
    assert.deepEqual(await users.addSshKeys("alice", [ed25519, withOptions]), { added: 2 });
    assert.deepEqual(await users.addSshKeys("alice", [ed25519, publicKey("rsa")]), { added: 0 });
    assert.equal(await login("ed25519"), "alice", await machine.expect("cat /run/sshd.log"));
    assert.equal(await login("rsa"), "only this");
    assert.equal(
      await machine.expect("stat -c '%a %U %G' /home/alice/.ssh /home/alice/.ssh/authorized_keys"),
      "700 alice alice\n600 alice alice\n",
    );
    const listed = await users.sshKeys("alice");
    const bySshKeygen = (await machine.expect("ssh-keygen -lf /home/alice/.ssh/authorized_keys"))
      .trim()
      .split("\n");
    assert.deepEqual(
      listed.map(({ fingerprint, comment }) => `${fingerprint} ${comment}`),
      bySshKeygen.map((line) => line.replace(/^\d+ | \(\w+\)$/g, "")),
    );
    assert.deepEqual(await users.removeSshKeys("alice", [listed[0]?.fingerprint ?? ""]), { removed: 1 });
    assert.match(await login("ed25519"), /Permission denied|^$/);
    assert.equal(await login("rsa"), "only this");
    assert.deepEqual(await users.addSshKeys("root", [ed25519]), { added: 1 });
    assert.match(await agentCodeOf(users.addSshKeys("bob", [ed25519])), /^QXGA-3005 /);
    assert.match(await agentCodeOf(users.addSshKeys("nobody", [ed25519])), /^QXGA-4001 .*\/nonexistent/);
  });

  it("are in a small guest too, where passwords have no program that sets them", async () => {
    const small = await savedGuest();
    await using machine = await small.restore();
    await machine.startAgent();
    await using client = await connect({ socket: machine.agentSocket, timeoutSeconds: deadlineMs / 1000 });
    const { users } = client;
    assert.deepEqual(await users.addSshKeys("alice", [publicKey("rsa")]), { added: 1 });
    assert.deepEqual(
      (await users.sshKeys("alice")).map(({ line }) => line),
      [publicKey("rsa")],
    );
    assert.equal(await machine.expect("stat -c '%a %U' /home/alice/.ssh"), "700 alice\n");
    assert.match(
      await agentCodeOf(users.addSshKeys("service", [publicKey("rsa")])),
      /^QXGA-4001 .*\/nonexistent/,
    );
    assert.match(await agentCodeOf(users.setPassword("alice", "x")), /^QXGA-5003 this guest has no chpasswd/);
  });
});
