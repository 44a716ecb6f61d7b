import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import type { RequestFields } from "../../src/wire/operations.ts";
import { Daemon } from "../support/daemon.ts";
import { RawHost } from "../support/raw-host.ts";
import { processesWith, zombiesOf } from "../support/processes.ts";
import { until } from "../support/until.ts";

/** Runs `body` with a daemon and a host attached to it. */
async function withHost(
  body: (host: RawHost, daemon: Daemon) => Promise<void>,
  config = "log_level: warn\n",
): Promise<void> {
  await using daemon = new Daemon().start({ config });
  const host = await RawHost.connect(daemon.socket);
  await host.until("agentReady");
  await body(host, daemon);
  host.close();
}

async function execute(host: RawHost, request: RequestFields<"execute">, deadlineMs = 20_000) {
  const answer = await host.ask({ execute: { waitForExit: true, ...request } }, "plain", deadlineMs);
  assert.ok(answer.executeResponse, answer.error?.message ?? "no executeResponse");
  return answer.executeResponse;
}

/** A text that only the processes of this test have in their command line. */
let counter = 0;
const mark = (): string => `7${process.pid}${++counter}.25`;

describe("execute", () => {
  it("runs a line in the shell, and a program with its arguments as they are", async () => {
    await withHost(async (host) => {
      const line = await execute(host, { command: "echo a; echo b >&2; exit 3" });
      assert.deepEqual([line.exitCode, line.stdout, line.stderr], [3, "a\n", "b\n"]);
      const args = ["%s|", "a b", "$HOME", "", "*", "'\"\\", "ü\n"];
      const direct = await execute(host, { command: "printf", args });
      assert.equal(direct.stdout, "a b|$HOME||*|'\"\\|ü\n|");
      assert.equal(direct.exitCode, 0);
      assert.ok(Number(direct.durationMs) >= 0);
      assert.equal(
        (await execute(host, { command: "/bin/sh", args: ["-c", "cat"] })).stdout,
        "",
        "empty input",
      );
    });
  });

  it("gives the target user's environment and home, and what the host adds", async () => {
    await withHost(async (host) => {
      const asRoot = await execute(host, { command: "env | sort; pwd", environment: { EXTRA: "x=y z" } });
      assert.deepEqual(asRoot.stdout?.trim().split("\n"), [
        "EXTRA=x=y z",
        "HOME=/root",
        ...(process.env["LANG"] === undefined ? [] : [`LANG=${process.env["LANG"]}`]),
        "LOGNAME=root",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PWD=/root",
        "SHELL=/bin/bash",
        "USER=root",
        "/root",
      ]);
      const asDaemon = await execute(host, {
        command: 'echo "$HOME $USER $LOGNAME $SHELL $PATH"; pwd',
        runAsUser: "daemon",
      });
      assert.equal(
        asDaemon.stdout,
        "/usr/sbin daemon daemon /usr/sbin/nologin /usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games\n/usr/sbin\n",
      );
      const elsewhere = await execute(host, { command: "pwd", workingDirectory: "/var" });
      assert.equal(elsewhere.stdout, "/var\n");
      // nobody's home does not exist.
      assert.equal((await execute(host, { command: "pwd", runAsUser: "nobody" })).stdout, "/\n");
    });
  });

  it("becomes the user and group that are asked for, with none of root's groups", async () => {
    await withHost(async (host) => {
      const id = async (request: RequestFields<"execute">): Promise<string> => {
        const answer = await execute(host, { command: "echo $(id -u):$(id -g):$(id -G)", ...request });
        assert.equal(answer.error, "");
        return answer.stdout?.trim() ?? "";
      };
      assert.equal(await id({}), "0:0:0");
      assert.equal(await id({ runAsUser: "daemon" }), "1:1:1");
      assert.equal(await id({ runAsUser: "1" }), "1:1:1");
      assert.equal(await id({ runAsUser: "daemon", runAsGroup: "mail" }), "1:8:8");
      assert.equal(
        await id({ runAsUser: "daemon", runAsGroup: "8", includeSupplementaryGroups: true }),
        "1:8:8 1",
      );
      assert.equal(await id({ runAsGroup: "mail" }), "0:8:8");
    });
  });

  it("says with a code of its own what cannot be done", async () => {
    await withHost(async (host) => {
      const cases: [RequestFields<"execute">, RegExp][] = [
        [{ command: "no-such-program", args: ["x"] }, /^QXGA-3001 command not found: no-such-program/],
        [{ command: "/etc/passwd", args: ["x"] }, /^QXGA-3002 root may not execute \/etc\/passwd \(EACCES\)/],
        [{ command: "/etc", args: ["x"] }, /^QXGA-3002 .* \/etc \(EACCES\)/],
        [{ command: "true", runAsUser: "nobody-there" }, /^QXGA-3005 .*nobody-there/],
        [{ command: "true", runAsUser: "4294967295" }, /^QXGA-3005 /],
        [{ command: "true", runAsGroup: "no-such-group" }, /^QXGA-3006 .*no-such-group/],
        [{ command: "true", workingDirectory: "/nowhere" }, /^QXGA-3008 .*\/nowhere.*ENOENT/],
        [{ command: "true", workingDirectory: "relative" }, /^QXGA-3008 /],
        [{ command: "true", workingDirectory: "/root", runAsUser: "daemon" }, /^QXGA-3008 daemon .*EACCES/],
        [{ command: "true", args: ["x".repeat(200_000)] }, /^QXGA-3009 .*E2BIG/],
        [{ command: "true", args: ["a\0b"] }, /^QXGA-2001 /],
        [{ command: "true", environment: { "A=B": "c" } }, /^QXGA-2001 /],
      ];
      for (const [request, error] of cases) {
        const answer = await execute(host, request);
        assert.match(answer.error ?? "", error);
        assert.equal(answer.exitCode, -1);
      }
      const exits: [string, number][] = [
        ["exit 255", 255],
        ["kill -9 $$", 137],
        ["kill -TERM $$", 143],
        ["no-such-program", 127],
      ];
      for (const [command, exitCode] of exits)
        assert.equal((await execute(host, { command })).exitCode, exitCode);
    });
  });

  it("drains both pipes at once, and keeps of each what is asked for", async () => {
    await withHost(async (host) => {
      const program =
        'i=0; while [ $i -lt 3000 ]; do printf "%01000d" $i; printf "%01000d" $i >&2; i=$((i+1)); done; echo end';
      const whole = await execute(host, { command: program, maxOutputBytes: 4_000_000 });
      assert.equal(whole.stdout?.length, 3_000_004);
      assert.equal(whole.stderr?.length, 3_000_000);
      assert.equal(whole.truncated, false);
      const usual = await execute(host, { command: program });
      assert.equal(usual.stdout?.length, 1024 * 1024);
      assert.equal(usual.stderr?.length, 1024 * 1024);
      assert.equal(usual.truncated, true);
      const little = await execute(host, { command: "echo 12345", maxOutputBytes: 3 });
      assert.deepEqual([little.stdout, little.truncated, little.exitCode], ["123", true, 0]);
      const all = await execute(host, { command: "head -c 30000000 /dev/zero", maxOutputBytes: 2 ** 32 - 1 });
      assert.equal(all.truncated, true);
      assert.ok((all.stdout?.length ?? 0) > 7_000_000);
    });
  });

  it("makes output that is no UTF-8 valid without losing the rest", async () => {
    await withHost(async (host) => {
      const mixed = await execute(host, { command: "printf 'a\\377b\\303'" });
      assert.equal(mixed.stdout, "a\ufffdb\ufffd");
      const cut = await execute(host, { command: "printf 'aü'", maxOutputBytes: 2 });
      assert.deepEqual([cut.stdout, cut.truncated], ["a", true]);
      const grown = await execute(host, { command: "printf '\\377\\377\\377'", maxOutputBytes: 4 });
      assert.deepEqual([grown.stdout, grown.truncated], ["\ufffd", true]);
    });
  });

  it("ends the whole tree at the deadline and gives the output so far", async () => {
    await withHost(async (host) => {
      const seconds = mark();
      const command = `echo begun; sleep ${seconds} & (trap '' TERM; sleep ${seconds}; sleep ${seconds}) & sleep ${seconds}`;
      const answer = await execute(host, { command, timeoutSeconds: 1 });
      assert.deepEqual([answer.timedOut, answer.exitCode, answer.stdout], [true, -1, "begun\n"]);
      await until("the tree to be gone", () => processesWith(seconds).length === 0);
    });
  });

  it("answers at the deadline also when the user hides the end", async () => {
    await withHost(async (host) => {
      const seconds = mark();
      const answer = execute(host, {
        command: "sleep",
        args: [seconds],
        timeoutSeconds: 1,
        runAsUser: "nobody",
      });
      const [pid] = await until("it", () => processesWith(seconds).length > 0 && processesWith(seconds));
      // PTRACE_SEIZE: what it traces ends for its parent only when the tracer has waited for it.
      const script = `syscall(101, 0x4206, ${pid}, 0, 0) == 0 or exit 1; $| = 1; print "traced"; sleep 1000`;
      const nobody = { uid: 65534, gid: 65534 };
      const tracer = spawn("perl", ["-e", script], { stdio: ["ignore", "pipe", "ignore"], ...nobody });
      await once(tracer.stdout, "data");
      const { timedOut, exitCode } = await answer;
      tracer.kill("SIGKILL");
      assert.deepEqual([timedOut, exitCode], [true, -1]);
      await until("the end", () => processesWith(seconds).length === 0);
    });
  });

  it("cuts a deadline to the guest's own", async () => {
    await withHost(async (host) => {
      const seconds = mark();
      for (const timeoutSeconds of [0, 3600]) {
        const answer = await execute(host, { command: `sleep ${seconds}`, timeoutSeconds });
        assert.equal(answer.timedOut, true);
      }
      await until("both to be gone", () => processesWith(seconds).length === 0);
    }, "max_exec_timeout_secs: 1\n");
  });

  it("does not wait for a child in the background that holds the pipes", async () => {
    await withHost(async (host) => {
      const seconds = mark();
      const started = performance.now();
      const answer = await execute(host, { command: `sleep ${seconds} & echo done` });
      assert.deepEqual([answer.stdout, answer.exitCode], ["done\n", 0]);
      assert.ok(performance.now() - started < 5_000);
      const [left] = await until(
        "the child",
        () => processesWith(seconds).length === 1 && processesWith(seconds),
      );
      process.kill(left ?? 0, "SIGKILL");
    });
  });

  it("lets a command that is not waited for live on when the agent ends", async () => {
    const seconds = mark();
    await withHost(async (host, daemon) => {
      const started = performance.now();
      const answer = await execute(host, { command: `echo lost; sleep ${seconds}`, waitForExit: false });
      assert.deepEqual([answer.exitCode, answer.stdout, answer.error], [0, "", ""]);
      assert.ok(performance.now() - started < 5_000);
      assert.equal(
        (await execute(host, { command: "no-such", args: ["x"], waitForExit: false })).exitCode,
        -1,
      );
      await daemon.stop();
    });
    const left = processesWith(seconds);
    assert.ok(left.length > 0);
    for (const pid of left) process.kill(pid, "SIGKILL");
  });

  it("ends what runs when its host goes, when it is cancelled, and when the agent stops", async () => {
    await withHost(async (host, daemon) => {
      const [ofGone, ofCancelled, ofStopped] = [mark(), mark(), mark()];
      const other = await RawHost.connect(daemon.socket); // waits in the backlog
      host.send({ messageId: "gone", execute: { command: `sleep ${ofGone}`, waitForExit: true } });
      await until("the first", () => processesWith(ofGone).length > 0);
      host.close();
      await until("the end of the first", () => processesWith(ofGone).length === 0);

      other.send({ messageId: "long", execute: { command: `sleep ${ofCancelled}`, waitForExit: true } });
      await until("the second", () => processesWith(ofCancelled).length > 0);
      assert.equal((await other.ask({ cancel: { messageId: "long" } })).cancelResponse?.success, true);
      const cancelled = await until("its answer", () => other.answersTo("long")[0]);
      assert.match(cancelled.executeResponse?.error ?? "", /^QXGA-2009 /);
      await until("the end of the second", () => processesWith(ofCancelled).length === 0);
      assert.match(
        (await other.ask({ cancel: { messageId: "long" } })).cancelResponse?.error ?? "",
        /^QXGA-2005 /,
      );

      other.send({
        messageId: "last",
        execute: { command: `trap '' TERM; sleep ${ofStopped}; sleep ${ofStopped}`, waitForExit: true },
      });
      await until("the third", () => processesWith(ofStopped).length > 0);
      const { ms } = await daemon.stop();
      assert.ok(ms < 1000, `${ms} ms`);
      await until("the end of the third", () => processesWith(ofStopped).length === 0);
      other.close();
    });
  });

  it("runs commands after one that had to be killed", async () => {
    await withHost(async (host) => {
      const seconds = mark();
      host.send({
        messageId: "stubborn",
        execute: { command: `trap '' TERM; sleep ${seconds}; sleep ${seconds}`, waitForExit: true },
      });
      await until("it", () => processesWith(seconds).length > 0);
      await host.ask({ cancel: { messageId: "stubborn" } });
      await until("its answer", () => host.answersTo("stubborn")[0]);
      for (let i = 0; i < 3; i++) assert.equal((await execute(host, { command: "true" })).exitCode, 0);
    });
  });

  it("runs a hundred at once, answers pings meanwhile, and leaves nothing behind", async () => {
    await withHost(async (host, daemon) => {
      await execute(host, { command: "true" });
      const before = daemon.openDescriptors();
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all([
          ...Array.from({ length: 100 }, (_, i) =>
            execute(host, { command: `echo ${i}; cat /etc/hostname` }),
          ),
          ...Array.from({ length: 20 }, async () => {
            assert.ok((await host.ask({ ping: { sequence: 1 } })).pong);
            return undefined;
          }),
        ]);
        const lines = answers.flatMap((answer) => (answer ? [answer.stdout?.split("\n")[0]] : []));
        assert.deepEqual(
          lines,
          Array.from({ length: 100 }, (_, i) => String(i)),
        );
      }
      await until("all descriptors to be closed", () => daemon.openDescriptors() <= before);
      await until("no zombie", () => zombiesOf(daemon.pid).length === 0);
    });
  });

  it("gives a command a clean process: no descriptor, no signal mask, usual limits", async () => {
    await withHost(async (host) => {
      const facts = await execute(host, {
        command:
          "ls /proc/self/fd | wc -l; grep -E '^Sig(Blk|Ign)' /proc/self/status; ulimit -n; ulimit -c; umask; cat /proc/self/oom_score_adj",
      });
      // 0, 1, 2 and the folder that ls reads.
      assert.equal(
        facts.stdout,
        "4\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n1024\n0\n0022\n0\n",
      );
    });
  });
});

describe("command policy", () => {
  it("allows the programs on the list and no others, by what they lead to", async () => {
    const config = "security:\n  command_allowlist: [echo, /usr/bin/id]\n";
    await withHost(async (host, daemon) => {
      assert.equal((await execute(host, { command: "echo", args: ["x"] })).stdout, "x\n");
      assert.equal((await execute(host, { command: "/bin/../bin/echo", args: ["x"] })).stdout, "x\n");
      assert.equal((await execute(host, { command: "/bin/id", args: ["-u"] })).stdout, "0\n");
      for (const request of [
        { command: "echo x" }, // the shell is not allowed
        { command: "ls", args: ["/"] },
        { command: "/usr/bin/idle", args: ["x"] },
        { command: path.join(daemon.folder, "echo"), args: ["x"] },
      ]) {
        const { error } = await execute(host, request);
        assert.match(error ?? "", /^QXGA-300[14] /, JSON.stringify(request));
      }
      assert.match(
        (await execute(host, { command: "echo x" })).error ?? "",
        /^QXGA-3004 .*command_allowlist/,
      );
    }, config);
  });

  it("blocks a program under all of its names", async () => {
    await withHost(async (host, daemon) => {
      const link = path.join(daemon.folder, "harmless");
      symlinkSync("/usr/bin/id", `${link}-id`);
      for (const command of ["id", "/usr/bin/id", "/bin/id", `${link}-id`]) {
        assert.match(
          (await execute(host, { command, args: ["-u"] })).error ?? "",
          /^QXGA-3004 .*command_blocklist/,
        );
      }
      assert.equal((await execute(host, { command: "echo", args: ["x"] })).stdout, "x\n");
    }, "security:\n  command_blocklist: [id, not-installed]\n");
  });

  it("blocks a link by its name, and what is a link to it", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "links-"));
    const [first, second] = [path.join(folder, "first"), path.join(folder, "second")];
    symlinkSync("/usr/bin/id", first);
    symlinkSync("first", second);
    await withHost(async (host) => {
      for (const command of [first, second]) {
        const { error } = await execute(host, { command, args: ["-u"] });
        assert.match(error ?? "", /^QXGA-3004 .*command_blocklist/, command);
      }
      assert.equal((await execute(host, { command: "/usr/bin/id", args: ["-u"] })).stdout, "0\n");
    }, `security:\n  command_blocklist: [${first}]\n`);
    rmSync(folder, { recursive: true });
  });

  it("limits commands a minute", async () => {
    await withHost(async (host) => {
      for (let i = 0; i < 3; i++) assert.equal((await execute(host, { command: "true" })).error, "");
      assert.match(
        (await execute(host, { command: "true" })).error ?? "",
        /^QXGA-8001 .*3 commands a minute/,
      );
    }, "security:\n  max_commands_per_minute: 3\n");
  });

  it("records who ran what and how it ended, and no secrets", async () => {
    await withHost(async (host, daemon) => {
      const secret = `secret${mark()}`;
      await execute(host, {
        command: `echo ${secret}; exit 4`,
        environment: { TOKEN: secret },
        runAsUser: "daemon",
      });
      await execute(host, { command: "/usr/bin/no-such", args: [secret] });
      await daemon.logged('"exitCode":4');
      await daemon.logged("QXGA-3001");
      assert.ok(!daemon.log.includes(secret), daemon.log);
      const records = daemon.log
        .split("\n")
        .filter((line) => line.includes('"audit"'))
        .map((line) => (JSON.parse(line) as { audit: Record<string, unknown> }).audit)
        .filter(({ operation }) => operation !== "agent_start");
      assert.deepEqual(
        records.map(({ operation, user, target, outcome }) => [operation, user, target, outcome]),
        [
          ["execute", "daemon", "/bin/sh", "started"],
          ["execute", "daemon", "/bin/sh", "ended"],
          ["execute", "root", "/usr/bin/no-such", "refused"],
        ],
      );
    }, "log_level: error\nsecurity:\n  audit_logging: true\n");
  });
});
