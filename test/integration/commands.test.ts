// The real client and the real ctl against the real daemon; what each part does alone is tested beside it.
import assert from "node:assert/strict";
import { buffer, text } from "node:stream/consumers";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Client, HostError, connect } from "../../src/host/index.ts";
import { Daemon } from "../support/daemon.ts";
import { processesWith } from "../support/processes.ts";
import { ctl } from "../support/ctl.ts";
import { until } from "../support/until.ts";

async function withClient(body: (client: Client, daemon: Daemon) => Promise<void>): Promise<void> {
  await using daemon = new Daemon().start({ config: "log_level: warn\n" });
  await using client = await until("the agent", () =>
    connect({ socket: daemon.socket }).catch(() => false as const),
  );
  await body(client, daemon);
}

let counter = 0;
const mark = (): string => `9${process.pid}${++counter}.25`;

describe("commands from the client to the guest", () => {
  it("executes with output, exit code, user and environment, and rejects what cannot be run", async () => {
    await withClient(async (client) => {
      const result = await client.execute({
        command: 'id -un; echo "$GREETING" >&2; exit 3',
        user: "daemon",
        env: { GREETING: "hello" },
      });
      assert.deepEqual(
        { ...result, durationMs: 0 },
        {
          exitCode: 3,
          stdout: "daemon\n",
          stderr: "hello\n",
          truncated: false,
          timedOut: false,
          durationMs: 0,
        },
      );
      assert.equal((await client.execute({ command: "sleep 60", timeoutSeconds: 1 })).timedOut, true);
      await assert.rejects(client.execute({ command: "no-such-program", args: ["x"] }), {
        agentCode: "QXGA-3001",
      });
      await assert.rejects(client.spawn({ command: "true", user: "no-such-user" }), {
        agentCode: "QXGA-3005",
      });
    });
  });

  it("carries any bytes through a command in both directions", async () => {
    await withClient(async (client) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 100_000 }), { maxLength: 8 }),
          fc.integer({ min: 1, max: 200_000 }),
          async (pieces, windowBytes) => {
            const cat = await client.spawn({ command: "cat", windowBytes });
            const echoed = buffer(cat.stdout);
            for (const piece of pieces) cat.stdin?.write(piece);
            cat.stdin?.end();
            assert.ok((await echoed).equals(Buffer.concat(pieces)));
            assert.equal((await cat.exit).exitCode, 0);
          },
        ),
        { numRuns: 40 },
      );
    });
  });

  it("ends a command by signal, kill and AbortSignal, and follows a kept one over a lost connection", async () => {
    await withClient(async (client, daemon) => {
      const seconds = mark();
      const sleeper = await client.spawn({ command: "sleep", args: [seconds] });
      await sleeper.signal("SIGINT");
      assert.equal((await sleeper.exit).exitCode, 130);
      const tree = await client.spawn({ command: `sleep ${seconds} & sleep ${seconds}`, shell: true });
      await tree.kill();
      await tree.exit;
      await until("the tree to be gone", () => processesWith(seconds).length === 0);
      const controller = new AbortController();
      const aborted = await client.spawn({ command: "sleep", args: [seconds], signal: controller.signal });
      controller.abort();
      assert.equal((await aborted.exit).signal, 15);

      const kept = await client.spawn({
        command: "echo before; read line; echo $line",
        shell: true,
        onDisconnect: "keep",
      });
      assert.equal((await client.commands()).length, 1);
      await client.close();
      await assert.rejects(kept.exit, HostError);
      await using next = await connect({ socket: daemon.socket });
      const again = await next.attach(kept.execId);
      again.stdin?.end("after\n");
      assert.equal(await text(again.stdout), "before\nafter\n");
      assert.equal((await again.exit).exitCode, 0);
      assert.deepEqual(await next.commands(), []);
    });
  });

  it("passes through limiquantix-ctl as through nothing", async () => {
    await withClient(async (client, daemon) => {
      await client.close();
      const run = (...args: string[]) => ctl(["exec", "--socket", daemon.socket, ...args]);
      const plain = await run("--", "sh", "-c", "printf 'a\\0b'; printf c >&2; exit 9");
      assert.deepEqual([plain.code, plain.stdout, plain.stderr], [9, "a\0b", "c"]);
      assert.equal((await run("-u", "daemon", "id", "-un")).stdout, "daemon\n");
      assert.equal((await run("--", "sh", "-c", "kill -KILL $$")).code, 137);
      assert.equal((await run("no-such-program")).code, 127);
      assert.equal((await run("--timeout", "1s", "sleep", "60")).code, 124);
    });
  });
});
