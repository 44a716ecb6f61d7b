import assert from "node:assert/strict";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, it, mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type Client, HostError, connect } from "../../src/host/index.ts";
import { plain } from "../../src/host/plain.ts";
import type { Envelope } from "../../src/wire/envelope.ts";
import type { FakeAgent, FakeAgentOptions } from "../support/fake-agent.ts";
import { FakeCommands, type FakeCommandsOptions } from "../support/fake-commands.ts";
import { until } from "../support/until.ts";
import { codeOf, withAgent } from "../support/with-agent.ts";

/** Runs `body` with a client of an agent that runs fake commands. */
async function withCommands(
  options: FakeCommandsOptions & FakeAgentOptions,
  body: (client: Client, guest: FakeCommands, agent: FakeAgent) => Promise<void>,
): Promise<void> {
  const guest = new FakeCommands(options);
  const { version = "9.9.9" } = options;
  await withAgent({ version, guest }, async (socket, agent) => {
    await using client = await connect({ socket });
    await body(client, guest, agent);
  });
}

type Executed = NonNullable<Envelope["executeResponse"]>;

/** An agent's answers to execute, and the usual ones to all else. */
const answering =
  (fields: Executed | "none"): NonNullable<FakeCommandsOptions["answer"]> =>
  (message) => {
    if (!message.execute) return undefined;
    return fields === "none" ? "none" : { messageId: message.messageId, executeResponse: fields };
  };

/** Waits for what a turn or two bring, without a timer. */
async function turns(count = 50): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

async function rejection(promise: Promise<unknown>): Promise<HostError> {
  const error: unknown = await promise.then(
    () => assert.fail("it should have been rejected"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HostError, String(error));
  return error;
}

describe("execute", () => {
  it("asks for what it is told and gives the result", async () => {
    const answer = answering({ exitCode: 3, stdout: "out", stderr: "err", truncated: true, durationMs: 12 });
    await withCommands({ answer }, async (client, guest) => {
      const result = await client.execute({
        command: "ls",
        args: ["-l", "a b"],
        cwd: "/srv",
        env: { A: "1" },
        user: 0,
        group: "staff",
        supplementaryGroups: false,
        timeoutSeconds: 1.5,
        maxOutputBytes: 77,
      });
      assert.deepEqual(result, {
        exitCode: 3,
        stdout: "out",
        stderr: "err",
        truncated: true,
        timedOut: false,
        durationMs: 12,
      });
      assert.deepEqual(plain(await guest.got("execute")), {
        command: "ls",
        args: ["-l", "a b"],
        workingDirectory: "/srv",
        environment: { A: "1" },
        timeoutSeconds: 2,
        waitForExit: true,
        runAsUser: "0",
        maxOutputBytes: 77,
        runAsGroup: "staff",
        includeSupplementaryGroups: false,
      });
    });
  });

  it("takes defaults where nothing is said, and can leave a command to itself", async () => {
    await withCommands({ answer: answering({ exitCode: 0 }) }, async (client, guest) => {
      await client.execute({ command: "sleep 100 | cat", detach: true });
      const asked = await guest.got("execute");
      assert.equal(asked.waitForExit ?? false, false);
      assert.equal(asked.includeSupplementaryGroups, true);
      assert.equal(asked.timeoutSeconds ?? 0, 0);
      assert.deepEqual([asked.args ?? [], asked.runAsUser ?? ""], [[], ""]);
    });
  });

  it("rejects with the agent's error, and a limit that cannot be sent", async () => {
    const answer = answering({ exitCode: -1, error: "QXGA-3001 command not found: nope" });
    await withCommands({ answer }, async (client, guest) => {
      const error = await rejection(client.execute({ command: "nope", args: ["x"] }));
      assert.deepEqual([error.code, error.agentCode], ["agent-error", "QXGA-3001"]);
      const asked = guest.received.length;
      await assert.rejects(client.execute({ command: "x", timeoutSeconds: -1 }), RangeError);
      await assert.rejects(client.execute({ command: "" }), TypeError);
      await assert.rejects(client.execute({ command: "x", timeoutSeconds: NaN }), RangeError);
      await assert.rejects(client.execute({ command: "x", maxOutputBytes: 2 ** 32 }), RangeError);
      await assert.rejects(client.execute({ command: "x".repeat(17 * 1024 * 1024) }), RangeError);
      assert.equal(guest.received.length, asked);
      await client.ping();
    });
  });

  it("waits as long as the command may run", async () => {
    await withCommands({ answer: answering("none") }, async (client, guest) => {
      mock.timers.enable({ apis: ["setTimeout"] });
      try {
        const states = new Map<string, string>();
        const watch = (name: string, promise: Promise<unknown>): void => {
          void codeOf(promise).then((code) => states.set(name, code));
        };
        watch("limited", client.execute({ command: "limited", timeoutSeconds: 100 }));
        watch("unlimited", client.execute({ command: "unlimited" }));
        watch("years", client.execute({ command: "years", timeoutSeconds: 100_000_000 }));
        watch("detached", client.execute({ command: "detached", detach: true, timeoutSeconds: 100 }));
        await turns();
        const after = async (seconds: number): Promise<Record<string, string>> => {
          mock.timers.tick(seconds * 1000);
          await turns();
          return Object.fromEntries(states);
        };
        assert.deepEqual(await after(29), {});
        assert.deepEqual(await after(2), { detached: "timed-out" });
        assert.deepEqual(await after(98), { detached: "timed-out" });
        assert.deepEqual(await after(2), { detached: "timed-out", limited: "timed-out" });
        assert.deepEqual(await after(100_000), { detached: "timed-out", limited: "timed-out" });
      } finally {
        mock.timers.reset();
      }
      const limited = guest.received.find(({ execute }) => execute?.command === "limited");
      assert.ok(guest.received.some(({ cancel }) => cancel?.messageId === limited?.messageId));
    });
  });

  it("is given up by its signal, and cancelled in the guest", async () => {
    await withCommands({ answer: answering("none") }, async (client, guest) => {
      assert.equal(await codeOf(client.execute({ command: "x", signal: AbortSignal.abort() })), "aborted");
      assert.equal(guest.received.length, 0);
      const abort = new AbortController();
      const running = codeOf(client.execute({ command: "sleep 9", signal: abort.signal }));
      await guest.got("execute");
      abort.abort();
      assert.equal(await running, "aborted");
      assert.equal((await guest.got("cancel")).messageId, guest.received[0]?.messageId);
    });
  });

  it("sends no cancel to an agent that does not know it", async () => {
    const asked: string[] = [];
    const answer: FakeAgentOptions["answer"] = (request) => {
      asked.push(request.payload ?? "");
      return request.execute ? "none" : undefined;
    };
    for (const sessions of [true, false]) {
      await withAgent({ answer, sessions }, async (socket) => {
        await using client = await connect({ socket });
        const signal = AbortSignal.timeout(20);
        assert.equal(await codeOf(client.execute({ command: "sleep 9", signal })), "aborted");
        await client.ping();
      });
    }
    assert.equal(asked.filter((name) => name === "execute").length, 2);
    assert.ok(!asked.includes("cancel"));
  });

  it("works with an agent of an earlier generation", async () => {
    const answer: FakeAgentOptions["answer"] = ({ execute, messageId }) =>
      execute ? { messageId, executeResponse: { stdout: "old" } } : undefined;
    await withAgent({ answer, sessions: false }, async (socket) => {
      await using client = await connect({ socket });
      assert.equal((await client.execute({ command: "uname" })).stdout, "old");
    });
  });
});

describe("spawn", () => {
  it("asks for what it is told", async () => {
    await withCommands({}, async (client, guest) => {
      await client.spawn({
        command: "ls | wc",
        cwd: "/srv",
        env: { A: "1" },
        user: "alice",
        group: 7,
        supplementaryGroups: false,
        timeoutSeconds: 60,
        shell: true,
        stdin: false,
        onDisconnect: "keep",
        keepBytes: 1000,
        windowBytes: 5000,
      });
      const asked = plain(await guest.got("execStart"));
      assert.deepEqual(asked, {
        command: "ls | wc",
        args: [],
        workingDirectory: "/srv",
        environment: { A: "1" },
        runAsUser: "alice",
        runAsGroup: "7",
        includeSupplementaryGroups: false,
        timeoutSeconds: 60,
        shell: true,
        login: false,
        stdin: false,
        terminal: null,
        onDisconnect: 1,
        windowBytes: 5000,
        keepBytes: 1000,
      });
      await client.spawn({ command: "top", login: true, terminal: { columns: 80, rows: 24 } });
      const login = plain((await guest.started(1)).start);
      assert.deepEqual(login.terminal, { columns: 80, rows: 24 });
      assert.deepEqual([login.login, login.stdin, login.windowBytes], [true, true, 1024 * 1024]);
      assert.equal(login.includeSupplementaryGroups, true);
      await assert.rejects(client.spawn({ command: "x", windowBytes: 0 }), RangeError);
      await assert.rejects(client.spawn({ command: "x", keepBytes: 2 ** 21 }), RangeError);
    });
  });

  it("gives output, apart, and the end of the command behind it", async () => {
    const run: FakeCommandsOptions["run"] = (command) => {
      // In the same write as the answer that tells the id.
      command.print("to stdout");
      command.print("to stderr", 2);
      command.end(1);
      command.end(2);
      command.exit({ exitCode: 143, signal: 15, durationMs: 77 });
    };
    await withCommands({ run }, async (client, guest) => {
      const remote = await client.spawn({ command: "x" });
      assert.deepEqual([remote.execId, remote.pid, remote.droppedBytes], ["exec-1", 4242, 0]);
      // Also when the end is waited for first.
      assert.deepEqual(await remote.exit, { exitCode: 143, signal: 15, timedOut: false, durationMs: 77 });
      assert.equal(await text(remote.stdout), "to stdout");
      assert.ok(remote.stderr);
      assert.equal(await text(remote.stderr), "to stderr");
      assert.ok(guest.received.every(({ messageId }) => /^[\w-]{16,64}\/\d+$/.test(messageId)));
    });
  });

  it("ends the streams of a command whose agent did not", async () => {
    const run: FakeCommandsOptions["run"] = (command) => {
      command.print("last words");
      command.exit({ exitCode: -1, timedOut: true });
    };
    await withCommands({ run }, async (client) => {
      const remote = await client.spawn({ command: "x", timeoutSeconds: 1 });
      assert.ok(remote.stderr);
      assert.deepEqual(
        [await text(remote.stdout), await text(remote.stderr), (await remote.exit).timedOut],
        ["last words", "", true],
      );
    });
  });

  it("gives a terminal one output, and follows its size", async () => {
    await withCommands({}, async (client, guest) => {
      const remote = await client.spawn({ command: "top", terminal: { columns: 80, rows: 24 } });
      assert.equal(remote.stderr, null);
      assert.ok(remote.stdin);
      await remote.resize({ columns: 132, rows: 50 });
      await assert.rejects(remote.resize({ columns: -1, rows: 50 }), RangeError);
      assert.deepEqual(guest.commands[0]?.sizes, [[132, 50]]);
    });
  });

  it("sends signals by the numbers that Linux gives them", async () => {
    await withCommands({}, async (client, guest) => {
      const remote = await client.spawn({ command: "x" });
      for (const signal of ["SIGHUP", "SIGUSR1", "SIGTERM", "SIGSTOP", "SIGWINCH", 34] as const)
        await remote.signal(signal);
      assert.deepEqual(guest.commands[0]?.signals, [1, 10, 15, 19, 28, 34]);
      await assert.rejects(remote.signal("SIGBREAK"), RangeError);
    });
  });

  it("kills by cancelling what began the command", async () => {
    const run: FakeCommandsOptions["run"] = (command) => {
      command.onCancel = () => {
        command.exit({ exitCode: 137, signal: 9 });
      };
    };
    await withCommands({ run }, async (client, guest) => {
      const remote = await client.spawn({ command: "x" });
      await remote.kill();
      assert.equal((await remote.exit).signal, 9);
      assert.equal((await guest.got("cancel")).messageId, guest.commands[0]?.startedBy);
      await remote.kill();
    });
  });

  it("does not fail to kill a command that has just ended", async () => {
    const answer: FakeCommandsOptions["answer"] = ({ cancel, messageId }) =>
      cancel
        ? { messageId, cancelResponse: { success: false, error: "QXGA-2005 no such request" } }
        : undefined;
    await withCommands({ answer }, async (client) => {
      const remote = await client.spawn({ command: "x" });
      await remote.kill();
    });
  });

  it("rejects with the agent's error when it cannot be started", async () => {
    const error = "QXGA-3002 not allowed to run /etc/passwd (EACCES)";
    const answer: FakeCommandsOptions["answer"] = ({ execStart, messageId }) =>
      execStart ? { messageId, execStartResponse: { success: false, error } } : undefined;
    await withCommands({ answer }, async (client) => {
      const rejected = await rejection(client.spawn({ command: "/etc/passwd" }));
      assert.deepEqual([rejected.code, rejected.agentCode], ["agent-error", "QXGA-3002"]);
    });
  });

  it("is given up by its signal before the start, which is then cancelled", async () => {
    const answer: FakeCommandsOptions["answer"] = ({ execStart }) => (execStart ? "none" : undefined);
    await withCommands({ answer }, async (client, guest) => {
      assert.equal(await codeOf(client.spawn({ command: "x", signal: AbortSignal.abort() })), "aborted");
      assert.equal(guest.received.length, 0);
      const abort = new AbortController();
      const starting = codeOf(client.spawn({ command: "x", signal: abort.signal }));
      await guest.got("execStart");
      abort.abort();
      assert.equal(await starting, "aborted");
      assert.equal((await guest.got("cancel")).messageId, guest.received[0]?.messageId);
    });
  });

  it("is ended by its signal after the start, and tells how", async () => {
    const run: FakeCommandsOptions["run"] = (command) => {
      command.onCancel = () => {
        command.print("oh");
        command.exit({ exitCode: 143, signal: 15 });
      };
    };
    await withCommands({ run }, async (client) => {
      const abort = new AbortController();
      const remote = await client.spawn({ command: "x", signal: abort.signal });
      abort.abort();
      assert.equal((await remote.exit).exitCode, 143);
      assert.equal(await text(remote.stdout), "oh");
    });
  });

  it("says so when the agent has no live commands", async () => {
    for (const sessions of [true, false]) {
      await withAgent({ sessions, version: "1.2.3" }, async (socket) => {
        await using client = await connect({ socket });
        const calls = [client.spawn({ command: "x" }), client.attach("exec-1"), client.commands()];
        for (const error of await Promise.all(calls.map(rejection))) {
          assert.equal(error.code, "not-supported");
          assert.match(error.message, /^(spawn|attach|commands) needs "exec".*1\.2\.3/);
        }
      });
    }
  });
});

describe("attach and the list of commands", () => {
  it("takes over a kept command", async () => {
    await withCommands({}, async (client, guest, agent) => {
      const first = await client.spawn({ command: "x", onDisconnect: "keep" });
      const command = await guest.started();
      const back = once(client, "connected");
      agent.dropClients();
      assert.equal((await rejection(first.exit)).code, "connection-lost");
      await back;
      command.droppedBytes = 77;
      command.print("kept, ");
      const remote = await client.attach("exec-1", { windowBytes: 5000 });
      assert.deepEqual([remote.pid, remote.droppedBytes], [4242, 77]);
      assert.equal(Number((await guest.got("execAttach")).windowBytes), 5000);
      remote.stdin?.end("input");
      await until("the input", () => command.inputEnded);
      assert.equal(command.inputData.toString(), "input");
      command.print("and new");
      await remote.kill();
      assert.deepEqual(command.signals, [9]);
      command.exit({ exitCode: 137, signal: 9 });
      assert.equal(await text(remote.stdout), "kept, and new");
      assert.equal((await remote.exit).signal, 9);
    });
  });

  it("has the streams that the command has", async () => {
    await withCommands({}, async (client, guest, agent) => {
      await client.spawn({ command: "x", stdin: false, onDisconnect: "keep" });
      await client.spawn({ command: "y", terminal: { columns: 1, rows: 1 }, onDisconnect: "keep" });
      const back = once(client, "connected");
      agent.dropClients();
      await back;
      const withoutInput = await client.attach("exec-1");
      assert.deepEqual([withoutInput.stdin, withoutInput.stderr === null], [null, false]);
      const terminal = await client.attach("exec-2");
      assert.deepEqual([terminal.stdin === null, terminal.stderr], [false, null]);
      assert.equal((await rejection(client.attach("exec-2"))).agentCode, "QXGA-3011");
      assert.equal((await rejection(client.attach("exec-9"))).agentCode, "QXGA-3011");
      assert.equal(guest.commands.length, 2);
    });
  });

  it("lists commands as plain data", async () => {
    await withCommands({}, async (client) => {
      await client.spawn({ command: "make", args: ["all"], onDisconnect: "keep" });
      await client.spawn({ command: "true" });
      const [kept, other] = await client.commands();
      assert.deepEqual(kept, {
        execId: "exec-1",
        pid: 4242,
        command: "make",
        args: ["all"],
        user: "",
        startedAt: { seconds: 1_700_000_000, nanos: 0 },
        running: true,
        exitCode: 0,
        attached: false,
        terminal: false,
        onDisconnect: "keep",
      });
      assert.equal(other?.onDisconnect, "kill");
    });
  });
});

describe("when the session goes, a command", () => {
  /** A process with nobody listening, one that is read, and what becomes of both. */
  async function fails(end: (client: Client, agent: FakeAgent) => unknown, code: string): Promise<void> {
    await withCommands({ stdinWindowBytes: 10 }, async (client, guest, agent) => {
      const ignored = await client.spawn({ command: "x" });
      const remote = await client.spawn({ command: "y" });
      const command = await guest.started(1);
      command.readsInput = false;
      command.print("some");
      const seen = codeOf(text(remote.stdout));
      const written = new Promise<unknown>((resolve) => remote.stdin?.write("more than ten bytes", resolve));
      await until("input", () => command.inputBytes === 10);
      await end(client, agent);
      assert.equal(await seen, code);
      assert.equal((await rejection(remote.exit)).code, code);
      assert.equal(((await written) as HostError | null)?.code, code);
      assert.ok(remote.stdin?.destroyed && remote.stderr?.destroyed && ignored.stdout.destroyed);
      assert.equal(await codeOf(remote.signal("SIGTERM")), code);
      await until("the streams are closed", () => ignored.stdout.closed && remote.stderr?.closed);
    });
  }

  it("fails with the connection", () =>
    fails((_client, agent) => {
      agent.dropClients();
    }, "connection-lost"));
  it("fails with the agent", () =>
    fails((_client, agent) => {
      agent.restart();
    }, "agent-restarted"));
  it("fails with close()", () => fails((client) => client.close(), "aborted"));

  it("does not disturb those that come after it", async () => {
    await withCommands({}, async (client, guest, agent) => {
      const lost = await client.spawn({ command: "x" });
      agent.dropClients();
      await rejection(lost.exit);
      const remote = await client.spawn({ command: "y" });
      lost.stdin?.write("nowhere");
      const command = await guest.started(1);
      command.print("fine");
      command.exit();
      assert.equal(await text(remote.stdout), "fine");
    });
  });

  it("leaves what has ended before as it is", async () => {
    const run: FakeCommandsOptions["run"] = (command) => {
      command.print("complete");
      command.exit();
    };
    await withCommands({ run }, async (client, _guest, agent) => {
      const remote = await client.spawn({ command: "x" });
      await remote.exit;
      const gone = once(client, "disconnected");
      agent.dropClients();
      await gone;
      assert.equal(await text(remote.stdout), "complete");
    });
  });

  it("and the client connects again when agent and connection go one after the other", async () => {
    await withCommands({}, async (client, _guest, agent) => {
      const remote = await client.spawn({ command: "x" });
      const back = once(client, "disconnected");
      agent.restart();
      await rejection(remote.exit);
      agent.dropClients();
      await back;
      await client.ping();
    });
  });
});
