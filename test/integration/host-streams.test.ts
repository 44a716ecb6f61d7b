import assert from "node:assert/strict";
import { once } from "node:events";
import { Writable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { type Client, HostError, type SpawnOptions, connect } from "../../src/host/index.ts";
import type { FakeAgent } from "../support/fake-agent.ts";
import { type FakeCommand, FakeCommands, type FakeCommandsOptions } from "../support/fake-commands.ts";
import { until } from "../support/until.ts";
import { codeOf, withAgent } from "../support/with-agent.ts";

type Remote = Awaited<ReturnType<Client["spawn"]>>;

/** Runs `body` with a command that was spawned. */
async function withCommand(
  options: FakeCommandsOptions & Partial<SpawnOptions>,
  body: (
    remote: Remote,
    command: FakeCommand,
    more: { agent: FakeAgent; guest: FakeCommands },
  ) => Promise<void>,
): Promise<void> {
  const { stdinWindowBytes, ...spawnOptions } = options;
  const guest = new FakeCommands({ ...(stdinWindowBytes !== undefined && { stdinWindowBytes }) });
  await withAgent({ guest }, async (socket, agent) => {
    await using client = await connect({ socket });
    const remote = await client.spawn({ command: "x", ...spawnOptions });
    await body(remote, await guest.started(), { agent, guest });
  });
}

/** Waits until `value` has been the same for a while. */
async function settled(value: () => number): Promise<number> {
  let last = value();
  for (let same = 0; same < 10;) {
    await sleep(5);
    same = value() === last ? same + 1 : 0;
    last = value();
  }
  return last;
}

/** Bytes that are not the same anywhere near. */
function pattern(bytes: number): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761);
  return Buffer.from(words.buffer, 0, bytes);
}

const errorOf = (stream: { write(chunk: Buffer, done: (error?: Error | null) => void): unknown } | null) =>
  new Promise<NodeJS.ErrnoException | null | undefined>((resolve) =>
    stream?.write(Buffer.from("x"), resolve),
  );

describe("output of a command", () => {
  it("comes whole through any window, in any pieces, to any reader", async () => {
    const pieces = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.integer({ min: 0, max: 3_000 })), {
      maxLength: 30,
    });
    const windowBytes = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 51, max: 100_000 }));
    const guest = new FakeCommands();
    await withAgent({ guest }, async (socket) => {
      await using client = await connect({ socket });
      const property = fc.asyncProperty(pieces, windowBytes, fc.boolean(), async (printed, window, slow) => {
        const index = guest.commands.length;
        const remote = await client.spawn({ command: "x", windowBytes: window });
        const command = await guest.started(index);
        const expected: [Buffer[], Buffer[]] = [[], []];
        for (const [channel, bytes] of printed) {
          const data = pattern(bytes);
          expected[channel - 1]?.push(data);
          command.print(data, channel);
        }
        command.exit();
        const read = async (stream: NonNullable<Remote["stderr"]>): Promise<Buffer> => {
          if (!slow) return await buffer(stream);
          const taken: Buffer[] = [];
          const slowly = new Writable({
            highWaterMark: 1,
            write(chunk: Buffer, _encoding, done) {
              taken.push(chunk);
              setImmediate(done);
            },
          });
          await pipeline(stream, slowly);
          return Buffer.concat(taken);
        };
        assert.ok(remote.stderr);
        const [stdout, stderr] = await Promise.all([read(remote.stdout), read(remote.stderr)]);
        assert.ok(stdout.equals(Buffer.concat(expected[0])), "standard output");
        assert.ok(stderr.equals(Buffer.concat(expected[1])), "standard error");
        assert.equal((await remote.exit).exitCode, 0);
      });
      await fc.assert(property, { numRuns: 60 });
    });
  });

  it("stops when nobody reads, and loses nothing", async () => {
    const data = pattern(8 * 1024 * 1024);
    await withCommand({ windowBytes: 200_000 }, async (remote, command) => {
      command.print(data);
      command.exit();
      assert.equal(await settled(() => command.sentBytes()), 200_000);
      assert.equal(command.creditBytes(), 0);
      assert.ok((await buffer(remote.stdout)).equals(data));
      await remote.exit;
    });
  });

  it("stops behind a reader that stops, in the middle too, and is not held in memory", async () => {
    const windowBytes = 256 * 1024;
    await withCommand({ windowBytes }, async (remote, command) => {
      command.print(pattern(16 * 1024 * 1024));
      let taken = 0;
      let stopAt = 3_000_000;
      remote.stdout.on("data", (chunk: Buffer) => {
        taken += chunk.length;
        if (taken > stopAt) remote.stdout.pause();
      });
      await until("the reader stops", () => taken > stopAt);
      const sent = await settled(() => command.sentBytes());
      assert.equal(command.creditBytes(), 0);
      assert.ok(sent - taken <= windowBytes, `${sent - taken} bytes wait`);
      // The other stream is not held up by it.
      assert.ok(remote.stderr);
      command.print("still here", 2);
      assert.equal(String((await once(remote.stderr, "data"))[0]), "still here");
      stopAt = Infinity;
      remote.stdout.resume();
      await until("all is taken", () => taken === 16 * 1024 * 1024);
    });
  });

  it("is granted in lumps", async () => {
    await withCommand({ windowBytes: 64 * 1024 }, async (remote, command, { guest }) => {
      for (let i = 0; i < 4096; i++) command.print(Buffer.alloc(256));
      command.exit();
      assert.equal((await buffer(remote.stdout)).length, 1024 * 1024);
      const grants = guest.received.filter(({ streamCredit }) => streamCredit);
      assert.ok(grants.length <= 32, `${grants.length} messages of credit for 16 windows`);
    });
  });

  it("gives a reader who wants more at once than the window what it wants", async () => {
    await withCommand({ windowBytes: 1000 }, async (remote, command) => {
      command.print(pattern(50_000));
      let whole: Buffer | null = null;
      remote.stdout.on("readable", () => (whole ??= remote.stdout.read(50_000) as Buffer | null));
      await until("all in one", () => whole !== null);
    });
  });

  it("is thrown away when the reader has gone, and the command can end", async () => {
    await withCommand({ windowBytes: 1000 }, async (remote, command) => {
      command.print(pattern(50_000));
      await until("the window is used up", () => command.creditBytes() === 0);
      remote.stdout.destroy();
      command.exit({ exitCode: 4 });
      assert.equal((await remote.exit).exitCode, 4);
      assert.equal(command.sentBytes(), 50_000);
    });
  });
});

describe("input of a command", () => {
  it("comes whole with any credit, in any pieces", async () => {
    const pieces = fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 12 });
    const window = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 51, max: 300_000 }));
    const grant = fc.integer({ min: 1_000, max: 100_000 });
    const property = fc.asyncProperty(pieces, window, grant, async (written, stdinWindowBytes, grants) => {
      await withCommand({ stdinWindowBytes }, async (remote, command) => {
        command.readsInput = false;
        const data = written.map(pattern);
        for (const piece of data) remote.stdin?.write(piece);
        remote.stdin?.end();
        await until("the end of input", () => {
          command.grantInput(grants);
          return command.inputEnded;
        });
        assert.ok(command.inputData.equals(Buffer.concat(data)));
        assert.equal(command.excessBytes, 0);
        assert.ok(command.largestInputPiece <= 64 * 1024);
      });
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it("waits for credit: a write is done when it is sent, and not before", async () => {
    await withCommand({ stdinWindowBytes: 100_000 }, async (remote, command) => {
      command.readsInput = false;
      let done = false;
      const more = remote.stdin?.write(pattern(150_000), () => (done = true));
      assert.equal(more, false);
      assert.equal(await settled(() => command.inputBytes), 100_000);
      assert.equal(done, false);
      command.grantInput(50_000);
      await until("the write is done", () => done);
      assert.equal(command.inputBytes, 150_000);
      remote.stdin?.end();
      await until("the end", () => command.inputEnded);
    });
  });

  it("waits for the socket, however much credit there is", async () => {
    await withCommand({ stdinWindowBytes: 1024 ** 3 }, async (remote, command, { agent }) => {
      command.readsInput = false;
      const data = pattern(64 * 1024);
      agent.pause(true);
      let done = 0;
      for (let i = 0; i < 512; i++) remote.stdin?.write(data, () => done++);
      const taken = (await settled(() => done)) * data.length;
      assert.ok(taken <= 2 * 1024 * 1024, `${taken} bytes were taken for a socket that is full`);
      agent.pause(false);
      await until("all is written", () => done === 512);
      await until("all has come", () => command.inputBytes === 512 * data.length);
    });
  });

  it("shares the socket between commands", async () => {
    const guest = new FakeCommands({ stdinWindowBytes: 1024 ** 3 });
    await withAgent({ guest }, async (socket, agent) => {
      await using client = await connect({ socket });
      const remotes = await Promise.all([1, 2, 3].map(() => client.spawn({ command: "x" })));
      const total = 4 * 1024 * 1024;
      agent.pause(true);
      for (const { stdin } of remotes) stdin?.write(pattern(total));
      let whenFirst: number[] = [];
      for (const command of guest.commands) {
        command.onInput = () => {
          const all = guest.commands.map(({ inputBytes }) => inputBytes);
          if (whenFirst.length === 0 && Math.max(...all) === total) whenFirst = all;
        };
      }
      agent.pause(false);
      await until("all have their input", () =>
        guest.commands.every(({ inputBytes }) => inputBytes === total),
      );
      assert.ok(
        Math.min(...whenFirst) > total / 2,
        `when the first had all, they had ${whenFirst.join(", ")}`,
      );
    });
  });

  it("fails with EPIPE when the command has ended", async () => {
    await withCommand({}, async (remote, command) => {
      command.exit();
      await remote.exit;
      assert.equal((await errorOf(remote.stdin))?.code, "EPIPE");
    });
  });

  it("fails with EPIPE in the middle of a write, and when the command reads no more", async () => {
    await withCommand({ stdinWindowBytes: 10 }, async (remote, command) => {
      command.readsInput = false;
      const failed = once(remote.stdin as unknown as NodeJS.EventEmitter, "error");
      const written = new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
        remote.stdin?.write(pattern(100), resolve);
      });
      await until("some input", () => command.inputBytes === 10);
      command.raw({ streamData: { streamId: command.execId, channel: 0, end: true } });
      assert.equal((await written)?.code, "EPIPE");
      assert.equal(((await failed)[0] as NodeJS.ErrnoException).code, "EPIPE");
      assert.equal((await errorOf(remote.stdin))?.code, "EPIPE");
      // The command itself goes on.
      command.print("done");
      command.exit();
      assert.equal(await text(remote.stdout), "done");
    });
  });

  it("frees a pipeline whose command has ended", async () => {
    await withCommand({}, async (remote, command) => {
      const endless = async function* (): AsyncGenerator<Buffer> {
        for (;;) {
          yield pattern(1000);
          await sleep(1);
        }
      };
      assert.ok(remote.stdin);
      const piped = pipeline(endless, remote.stdin);
      await until("some input", () => command.inputBytes > 0);
      command.exit();
      await assert.rejects(piped);
    });
  });

  it("ends when it is destroyed, as a closed pipe does", async () => {
    await withCommand({}, async (remote, command) => {
      remote.stdin?.destroy();
      await until("the end", () => command.inputEnded);
    });
  });

  it("is not there when it was not asked for", async () => {
    await withCommand({ stdin: false }, (remote) => {
      assert.equal(remote.stdin, null);
      return Promise.resolve();
    });
  });
});

describe("an agent that does not keep to the protocol", () => {
  const streamId = "exec-1";

  it("fails the command it sends more for than it may, and no other", async () => {
    await withCommand({ windowBytes: 1000 }, async (remote, command, { guest }) => {
      command.raw({ streamData: { streamId, channel: 1, data: Buffer.alloc(1000) } });
      command.raw({ streamData: { streamId, channel: 1, data: Buffer.alloc(1) } });
      const error: unknown = await remote.exit.catch((reason: unknown) => reason);
      assert.ok(error instanceof HostError);
      assert.equal(error.code, "agent-error");
      assert.match(error.message, /1 bytes on channel 1 of exec-1, for which it had no credit/);
      assert.equal(await codeOf(text(remote.stdout)), "agent-error");
      await guest.got("cancel");
    });
  });

  it("fails the command for which output comes behind its end, or on a channel that is none", async () => {
    const data = Buffer.from("x");
    await withCommand({}, async (remote, command) => {
      command.end(1);
      command.raw({ streamData: { streamId, channel: 1, data } });
      assert.equal(await codeOf(remote.exit), "agent-error");
    });
    for (const channel of [2, 7, 4_000_000_000]) {
      await withCommand({ terminal: { columns: 80, rows: 24 } }, async (remote, command) => {
        command.raw({ streamData: { streamId, channel, data } });
        assert.equal(await codeOf(remote.exit), "agent-error");
      });
    }
  });

  it("is not listened to where nothing is open", async () => {
    await withCommand({}, async (remote, command) => {
      command.raw({ streamData: { streamId: "other", channel: 1, data: Buffer.from("x") } });
      command.raw({ streamData: { channel: 1, data: Buffer.from("x") } });
      command.raw({ streamCredit: { streamId: "other", channel: 0, bytes: 1 } });
      command.raw({ streamCredit: { streamId, channel: 5, bytes: 1 } });
      command.raw({ streamData: { streamId, channel: 0, data: Buffer.from("x") } });
      command.raw({ streamData: { streamId, channel: 1 } });
      command.raw({ execExited: { execId: "other" } });
      command.print("good");
      command.end();
      command.end();
      command.raw({ streamData: { streamId, channel: 1, end: true } });
      command.exit();
      command.raw({ execExited: { execId: streamId, exitCode: 9 } });
      command.raw({ streamData: { streamId, channel: 1, data: Buffer.from("late") } });
      assert.equal(await text(remote.stdout), "good");
      assert.equal((await remote.exit).exitCode, 0);
    });
  });

  it("cannot have two commands under one id, or none", async () => {
    for (const execId of ["exec-1", ""]) {
      const first = { execStartResponse: { success: true, execId: "exec-1" } };
      let starts = 0;
      const guest = new FakeCommands({
        answer: ({ execStart, messageId }) => {
          if (!execStart) return undefined;
          return {
            messageId,
            ...(++starts === 1 ? first : { execStartResponse: { success: true, execId } }),
          };
        },
      });
      await withAgent({ guest }, async (socket) => {
        await using client = await connect({ socket });
        await client.spawn({ command: "x" });
        assert.equal(await codeOf(client.spawn({ command: "y" })), "agent-error");
        await client.ping();
      });
    }
  });

  it("can grant more than there are numbers", async () => {
    await withCommand({ stdinWindowBytes: 0 }, async (remote, command) => {
      command.readsInput = false;
      for (let i = 0; i < 3; i++) command.grantInput(Number.MAX_SAFE_INTEGER);
      remote.stdin?.end("input");
      await until("the end", () => command.inputEnded);
      assert.equal(command.inputData.toString(), "input");
    });
  });
});
