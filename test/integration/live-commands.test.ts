import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { OnDisconnect } from "../../src/wire/envelope.ts";
import { Daemon } from "../support/daemon.ts";
import { LiveHost } from "../support/live-host.ts";
import { processesWith, zombiesOf } from "../support/processes.ts";
import { RawHost } from "../support/raw-host.ts";
import { until } from "../support/until.ts";

async function withHost(
  body: (live: LiveHost, daemon: Daemon) => Promise<void>,
  config = "log_level: warn\n",
): Promise<void> {
  await using daemon = new Daemon().start({ config });
  const host = await RawHost.connect(daemon.socket);
  const ready = await host.until("agentReady");
  assert.ok(ready.agentReady?.capabilities?.includes("exec"));
  await body(new LiveHost(host), daemon);
  host.close();
}

let counter = 0;
const mark = (): string => `8${process.pid}${++counter}.25`;
const keep = { onDisconnect: OnDisconnect.ON_DISCONNECT_KEEP };

describe("live commands", () => {
  it("starts with a pid, sends both streams as they come, their ends, and then the exit", async () => {
    await withHost(async (live) => {
      const { execId, pid, success } = await live.start({
        command: "echo a; echo b >&2; sleep 0.2; echo c; exit 5",
        shell: true,
      });
      assert.equal(success, true);
      assert.ok(Number(pid) > 1);
      const exit = await live.exit(execId);
      assert.deepEqual([exit.exitCode, exit.signal, exit.timedOut], [5, 0, false]);
      assert.deepEqual([live.text(execId, 1), live.text(execId, 2)], ["a\nc\n", "b\n"]);
      const messages = live.messages(execId);
      assert.ok(messages.at(-1)?.execExited, "the exit is the last word");
      const ends = messages
        .filter(({ streamData }) => streamData?.end)
        .map(({ streamData }) => streamData?.channel);
      assert.deepEqual(ends.sort(), [1, 2]);
    });
  });

  it("passes binary input with its end, a program's arguments, and signals", async () => {
    await withHost(async (live) => {
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31) % 256));
      const cat = await live.run({ command: "cat", stdin: true });
      for (let at = 0; at < bytes.length; at += 7919) live.input(cat, bytes.subarray(at, at + 7919));
      live.input(cat, "", true);
      assert.equal((await live.exit(cat)).exitCode, 0);
      assert.ok(live.output(cat).equals(bytes));

      const printf = await live.run({ command: "printf", args: ["%s|", "a b", "$X"] });
      await live.exit(printf);
      assert.equal(live.text(printf), "a b|$X|");

      const trap = await live.run({
        command: "trap 'echo got it; exit 9' INT; echo ready; while :; do sleep 0.05; done",
        shell: true,
      });
      await live.printed(trap, "ready");
      assert.equal(
        (await live.host.ask({ execSignal: { execId: trap, signal: 2 } })).execSignalResponse?.success,
        true,
      );
      assert.equal((await live.exit(trap)).exitCode, 9);
      assert.equal(live.text(trap), "ready\ngot it\n");

      const killed = await live.run({ command: "sleep", args: ["1000"] });
      await live.host.ask({ execSignal: { execId: killed, signal: 9 } });
      const { exitCode, signal } = await live.exit(killed);
      assert.deepEqual([exitCode, signal], [137, 9]);
      const late = await live.host.ask({ execSignal: { execId: killed, signal: 9 } });
      assert.match(late.execSignalResponse?.error ?? "", /^QXGA-3011 /);
    });
  });

  it("sends no more than there is credit for: the command waits, not the agent", async () => {
    await withHost(async (live, daemon) => {
      const yes = await live.run({ command: "yes", windowBytes: 100_000 });
      await until("the window to be full", () => live.output(yes).length === 100_000);
      const before = daemon.residentKiB();
      for (let i = 0; i < 20; i++) assert.ok((await live.host.ask({ ping: { sequence: i } })).pong);
      assert.equal(live.output(yes).length, 100_000);
      live.credit(yes, 50_000);
      await until("the credit to be used", () => live.output(yes).length === 150_000);
      assert.ok(daemon.residentKiB() - before < 8 * 1024);
      const other = await live.run({ command: "echo", args: ["not held up"] });
      await live.exit(other);
      assert.equal(live.text(other), "not held up\n");
      assert.equal((await live.host.ask({ cancel: { messageId: "start-1" } })).cancelResponse?.success, true);
      live.credit(yes, 100_000_000);
      assert.equal((await live.exit(yes)).signal, 15);
    });
  });

  it("tells the end of a command whose host has no room left", async () => {
    await withHost(async (live) => {
      const silent = await live.run({ command: "true", windowBytes: 0 });
      assert.equal((await live.exit(silent)).exitCode, 0);
      const exact = await live.run({ command: "printf", args: ["1234"], windowBytes: 4 });
      await live.exit(exact);
      assert.equal(live.text(exact), "1234");
      const more = await live.run({ command: "printf", args: ["12345"], windowBytes: 4 });
      await live.printed(more, "1234");
      live.credit(more, 1);
      await live.exit(more);
      assert.equal(live.text(more), "12345");
    });
  });

  it("gives credit for input as the command takes it, and says when it takes no more", async () => {
    await withHost(async (live, daemon) => {
      const { execId, stdinWindowBytes } = await live.start({
        command: "sleep 0.3; cat >/dev/null",
        shell: true,
        stdin: true,
      });
      const window = Number(stdinWindowBytes);
      assert.ok(window >= 64 * 1024);
      const credits = (): number =>
        live.host.received.reduce(
          (sum, { message }) =>
            sum + (message.streamCredit?.streamId === execId ? Number(message.streamCredit.bytes) : 0),
          0,
        );
      let sent = 0;
      while (sent < 20 * 1024 * 1024) {
        const room = await until("credit", () => window + credits() > sent && window + credits() - sent);
        const piece = Buffer.alloc(Math.min(room, 64 * 1024));
        live.input(execId, piece);
        sent += piece.length;
      }
      live.input(execId, "", true);
      assert.equal((await live.exit(execId)).exitCode, 0);
      assert.ok(daemon.residentKiB() < 120 * 1024);

      const deaf = await live.run({ command: "exec <&-; sleep 0.5", shell: true, stdin: true });
      live.input(deaf, "x".repeat(1000));
      live.input(deaf, "x".repeat(1000));
      await until("the end of its input", () =>
        live.messages(deaf).some(({ streamData }) => streamData?.end && !streamData.channel),
      );
      assert.equal((await live.exit(deaf)).exitCode, 0);

      const flooded = await live.run({ command: "sleep", args: ["1000"], stdin: true });
      for (let i = 0; i < 64; i++) live.input(flooded, Buffer.alloc(64 * 1024));
      await until("it to be cut off", () =>
        live.messages(flooded).some(({ streamData }) => streamData?.end && !streamData.channel),
      );
      await live.host.ask({ execSignal: { execId: flooded, signal: 9 } });
      assert.ok((await live.host.ask({ ping: { sequence: 1 } })).pong);
    });
  });

  it("gives a terminal with its window, and follows it", async () => {
    await withHost(async (live) => {
      const execId = await live.run({
        command: "trap 'stty size' WINCH; tty; stty size; while :; do sleep 0.05; done",
        shell: true,
        terminal: { columns: 100, rows: 30 },
        environment: { TERM: "xterm" },
      });
      await live.printed(execId, "30 100");
      assert.match(live.text(execId), /^\/dev\/pts\/\d+\r\n/);
      const resized = await live.host.ask({ execResize: { execId, terminal: { columns: 40, rows: 10 } } });
      assert.equal(resized.execResizeResponse?.success, true);
      await live.printed(execId, "10 40");
      live.input(execId, "\u0003");
      const { exitCode } = await live.exit(execId);
      assert.equal(exitCode, 130);

      const shell = await live.run({
        login: true,
        terminal: { columns: 80, rows: 24 },
        environment: { PS1: "$ " },
      });
      live.input(shell, "echo $0-$((6*7)); exit 3\r");
      assert.equal((await live.exit(shell)).exitCode, 3);
      assert.match(live.text(shell), /-bash-42/);
    });
  });

  it("runs as whom it is asked to, and refuses what cannot be run", async () => {
    await withHost(async (live) => {
      const id = await live.run({ command: "id", args: ["-un"], runAsUser: "daemon" });
      await live.exit(id);
      assert.equal(live.text(id), "daemon\n");
      const owner = await live.run({
        command: "stat -c %U $(tty); test -w $(tty) && echo mine",
        shell: true,
        runAsUser: "daemon",
        terminal: {},
      });
      await live.exit(owner);
      assert.equal(live.text(owner), "daemon\r\nmine\r\n");
      for (const [request, error] of [
        [{ command: "no-such-program" }, /^QXGA-3001/],
        [{ command: "true", runAsUser: "no-such-user" }, /^QXGA-3005/],
        [{ command: "a b", shell: true, args: ["c"] }, /^QXGA-2001/],
        [{ command: "true", terminal: { columns: 70_000, rows: 1 } }, /^QXGA-2001/],
      ] as const) {
        const answer = await live.start(request as never);
        assert.equal(answer.success, false);
        assert.match(answer.error, error);
      }
    });
  });

  it("ends at its deadline, and does not wait for children that hold the streams", async () => {
    await withHost(async (live) => {
      const seconds = mark();
      const late = await live.run({
        command: `echo so far; sleep ${seconds}`,
        shell: true,
        timeoutSeconds: 1,
      });
      const { exitCode, timedOut } = await live.exit(late);
      assert.deepEqual([exitCode, timedOut, live.text(late)], [-1, true, "so far\n"]);
      const left = await live.run({ command: `sleep ${seconds} & echo parent`, shell: true });
      assert.equal((await live.exit(left)).exitCode, 0);
      assert.equal(live.text(left), "parent\n");
      for (const pid of processesWith(seconds)) process.kill(pid, "SIGKILL");
    });
  });

  it("is killed with its host, or kept for the next one with its newest output", async () => {
    await withHost(async (live, daemon) => {
      const [ofKilled, ofKept] = [mark(), mark()];
      await live.run({ command: `sleep ${ofKilled}`, shell: true });
      const kept = await live.run({
        command: `echo first; read line; echo "got $line"; sleep ${ofKept}`,
        shell: true,
        stdin: true,
        keepBytes: 100,
        ...keep,
      });
      const chatty = await live.run({
        command: "read line; i=0; while [ $i -lt 10000 ]; do echo $i; i=$((i+1)); done",
        shell: true,
        stdin: true,
        windowBytes: 100, // so that it cannot end for this host
        keepBytes: 1000,
        ...keep,
      });
      await live.printed(kept, "first");
      live.input(chatty, "go\n");
      await until("the chatty one to print", () => live.text(chatty).length > 0);
      live.host.close();
      await until("the end of the killed one", () => processesWith(ofKilled).length === 0);

      const next = new LiveHost(await RawHost.connect(daemon.socket));
      const list = await until("the chatty one to end", async () => {
        const { execListResponse } = await next.host.ask({ execList: {} });
        const commands = execListResponse?.commands ?? [];
        return commands.some(({ execId, running }) => execId === chatty && !running) && commands;
      });
      assert.deepEqual(
        list.map(({ execId, attached, running }) => [execId, attached, running]),
        [
          [kept, false, true],
          [chatty, false, false],
        ],
      );
      const attach = await next.host.ask({ execAttach: { execId: chatty, windowBytes: 1_000_000 } });
      assert.equal(attach.execAttachResponse?.success, true);
      assert.equal((await next.exit(chatty)).exitCode, 0);
      const replay = next.text(chatty);
      assert.ok(replay.endsWith("9998\n9999\n"));
      assert.equal(replay.length, 1000);
      assert.equal(
        Number(attach.execAttachResponse.droppedBytes),
        48_890 - 1000,
        "what is not kept is counted",
      );
      const again = await next.host.ask({ execAttach: { execId: chatty, windowBytes: 1 } });
      assert.match(again.execAttachResponse?.error ?? "", /^QXGA-3011/);

      const received = live.output(kept).length;
      await next.host.ask({
        execAttach: { execId: kept, windowBytes: 1_000_000, receivedStdoutBytes: received },
      });
      next.input(kept, "a line\n");
      await next.printed(kept, "got a line");
      assert.equal(next.text(kept), "got a line\n", "what the host has had is not sent again");
      const twice = await next.host.ask({ execAttach: { execId: kept, windowBytes: 1 } });
      assert.match(twice.execAttachResponse?.error ?? "", /^QXGA-3011 .*host already/);
      await next.host.ask({ execSignal: { execId: kept, signal: 9 } });
      assert.equal((await next.exit(kept)).signal, 9);
      assert.equal((await next.host.ask({ execList: {} })).execListResponse?.commands?.length, 0);
      next.host.close();
      await until("no zombie", () => zombiesOf(daemon.pid).length === 0);
    });
  });

  it("tells a kept command's end again when the host that was told has gone", async () => {
    await withHost(async (live, daemon) => {
      const execId = await live.run({ command: "echo all of it; exit 6", shell: true, ...keep });
      assert.equal((await live.exit(execId)).exitCode, 6);
      assert.equal((await live.host.ask({ execList: {} })).execListResponse?.commands?.length, 0);
      live.host.close();
      const next = new LiveHost(await RawHost.connect(daemon.socket));
      const attach = await next.host.ask({ execAttach: { execId, windowBytes: 1000 } });
      assert.equal(attach.execAttachResponse?.error ?? "", "");
      assert.equal((await next.exit(execId)).exitCode, 6);
      assert.equal(next.text(execId), "all of it\n");
      next.host.close();
    });
  });

  it("goes on with nothing of an earlier session when another begins", async () => {
    await withHost(async (live) => {
      const sessionId = "abcdefghijklmnop";
      const seconds = mark();
      const yes = await live.run({
        command: `yes; sleep ${seconds}`,
        shell: true,
        windowBytes: 1_000_000_000,
      });
      await until("output", () => live.output(yes).length > 100_000);
      const hello = await live.host.ask({ messageId: `${sessionId}/1`, hello: { sessionId } });
      assert.ok(hello.helloResponse?.success);
      const after = live.host.received.findIndex(({ message }) => message === hello);
      assert.ok((await live.host.ask({ messageId: `${sessionId}/2`, ping: { sequence: 1 } })).pong);
      await until("the end of it", () => processesWith(seconds).length === 0);
      const late = live.host.received.slice(after).filter(({ message }) => message.streamData);
      assert.deepEqual(late, []);
    });
  });

  it("shares the channel fairly, and leaves nothing behind", async () => {
    await withHost(async (live, daemon) => {
      await live.exit(await live.run({ command: "true" }));
      const before = daemon.openDescriptors();
      const loud = await live.run({ command: "yes", windowBytes: 2 ** 40 });
      for (let i = 0; i < 30; i++) {
        const execId = await live.run({ command: `echo ${i}`, shell: true });
        await live.exit(execId);
        assert.equal(live.text(execId), `${i}\n`);
      }
      await live.host.ask({ execSignal: { execId: loud, signal: 9 } });
      await live.exit(loud);
      await until("all descriptors to be closed", () => daemon.openDescriptors() <= before);
      await until("no zombie", () => zombiesOf(daemon.pid).length === 0);
    });
  });

  it("has at most 128 at once, and forgets those that ended unread when there is no more room", async () => {
    await withHost(async (live, daemon) => {
      const unread = { windowBytes: 0, ...keep };
      const asked = Array.from({ length: 140 }, () =>
        live.start({ command: "echo", args: ["x"], ...unread }),
      );
      const answers = await Promise.all(asked);
      assert.equal(answers.filter(({ success }) => success).length, 128);
      assert.doesNotMatch(daemon.log, /MaxListeners/);
      assert.ok(answers.every(({ success, error }) => success || /^QXGA-3009 128 live/.test(error)));
      await until("all to end", async () =>
        (await live.host.ask({ execList: {} })).execListResponse?.commands?.every(({ running }) => !running),
      );
      assert.match(
        (await live.start({ command: "true" })).error,
        /^QXGA-3009 /,
        "a host may still read them",
      );
      live.host.close();
      const next = new LiveHost(await RawHost.connect(daemon.socket));
      await next.exit(await next.run({ command: "true" }));
      next.host.close();
    });
  });

  it("waits for a deadline that is weeks away", async () => {
    await withHost(async (live) => {
      for (const timeoutSeconds of [2_147_484, 2 ** 32 - 1]) {
        const slow = await live.run({ command: "sleep", args: ["0.2"], timeoutSeconds });
        const { exitCode, timedOut } = await live.exit(slow);
        assert.deepEqual([exitCode, timedOut], [0, false]);
      }
    });
  });

  it("takes input of single bytes without holding up others", async () => {
    await withHost(async (live) => {
      const count = 100_000; // more than a pipe takes
      const deaf = await live.run({ command: "sleep", args: ["1000"], stdin: true });
      for (let i = 0; i < count; i++) live.input(deaf, "x");
      const started = performance.now();
      assert.ok((await live.host.ask({ ping: { sequence: 1 } }, "plain", 60_000)).pong);
      assert.ok(performance.now() - started < 10_000, "each byte cost as much as all that waited");
      await live.host.ask({ execSignal: { execId: deaf, signal: 9 } });
      await live.exit(deaf);
      const cat = await live.run({ command: "sleep 0.5; cat", shell: true, stdin: true });
      for (let i = 0; i < count; i++) live.input(cat, String(i % 10));
      live.input(cat, "", true);
      await live.exit(cat);
      assert.equal(live.text(cat), "0123456789".repeat(count / 10));
    });
  });

  it("leaves a terminal that took the place of one that ended its size", async () => {
    await withHost(async (live) => {
      const hungUp = await live.run({
        command: "trap '' HUP; exec <&- >&- 2>&-; exec sleep 1000",
        shell: true,
        terminal: { columns: 80, rows: 24 },
      });
      await until("the end of its terminal", () =>
        live.messages(hungUp).some(({ streamData }) => streamData?.end && streamData.channel === 1),
      );
      const next = await live.run({
        command: "read line; stty size",
        shell: true,
        terminal: { columns: 100, rows: 50 },
      });
      await live.host.ask({ execResize: { execId: hungUp, terminal: { columns: 33, rows: 11 } } });
      live.input(next, "go\n");
      await live.exit(next);
      assert.match(live.text(next), /50 100/);
      await live.host.ask({ execSignal: { execId: hungUp, signal: 9 } });
      await live.exit(hungUp);
    });
  });

  it("leaves nothing of a command behind in a session that goes on", async () => {
    await withHost(async (live, daemon) => {
      const run = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) {
          const args = ["-c", "200000", "/dev/zero"];
          await live.exit(await live.run({ command: "head", args, keepBytes: 200_000, ...keep }));
          live.host.received.length = 0;
        }
      };
      await run(300); // until the heap has its size
      const before = daemon.residentKiB();
      await run(600);
      assert.ok(daemon.residentKiB() - before < 60 * 1024, "600 commands of 200 KB");
    });
  });

  it("leaves nothing running when descriptors run out in the middle of a start", async () => {
    await withHost(async (live, daemon) => {
      const limitDescriptors = (most: number): void => {
        execFileSync("prlimit", ["--pid", String(daemon.pid), `--nofile=${most}:4096`]);
      };
      await live.exit(await live.run({ command: "true", stdin: true }));
      const seconds = mark();
      const before = daemon.openDescriptors();
      const taken = new Set(readdirSync(`/proc/${daemon.pid}/fd`).map(Number));
      let failed = 0;
      // A start takes a descriptor more each time, until it has enough.
      for (let limit = 4, free = 0; ; limit++) {
        if (!taken.has(limit - 1)) free++;
        limitDescriptors(limit);
        const { success, error, execId } = await live.start({
          command: "sleep",
          args: [seconds],
          stdin: true,
        });
        limitDescriptors(4096);
        if (success) {
          await live.host.ask({ execSignal: { execId, signal: 9 } });
          break;
        }
        failed++;
        assert.match(error, /^QXGA-3009 .*EMFILE/);
        assert.ok(free < 20);
      }
      assert.ok(failed > 5);
      await until("nothing to run", () => processesWith(seconds).length === 0);
      await until("all descriptors to be closed", () => daemon.openDescriptors() <= before);
      await until("no zombie", () => zombiesOf(daemon.pid).length === 0);
    });
  });
});
