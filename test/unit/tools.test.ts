import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Audit } from "../../src/agent/audit/audit.ts";
import { Commands } from "../../src/agent/commands/commands.ts";
import { defaultConfig } from "../../src/agent/config/load.ts";
import { Policy } from "../../src/agent/policy/policy.ts";
import { ToolMissing, Tools } from "../../src/agent/tools/tools.ts";
import { CodedError } from "../../src/wire/errors.ts";

const commands = new Commands(new Policy(defaultConfig().security), new Audit(undefined));
const tools = new Tools(commands);
after(() => commands.close());

test("a tool has its arguments, its input and a clean environment", async () => {
  const result = await tools.run(
    "sh",
    ["-c", "cat; env | cut -d= -f1 | sort | tr '\\n' ' '; pwd >&2; exit 3"],
    {
      input: Buffer.from("secret\n"),
      environment: { EXTRA: "1" },
    },
  );
  assert.equal(result.exitCode, 3);
  assert.equal(result.stdout, "secret\nEXTRA HOME LC_ALL PATH PWD ");
  assert.equal(result.stderr, "/\n");
});

test("input as large as a pipe takes does not wait for a tool that does not read", async () => {
  const result = await tools.run("sleep", ["0.1"], { input: Buffer.alloc(65_536) });
  assert.equal(result.exitCode, 0);
});

test("a tool that takes too long is ended", async () => {
  const result = await tools.run("sleep", ["100"], { timeoutSeconds: 0.2 });
  assert.equal(result.timedOut, true);
  await assert.rejects(
    tools.expect("network", "sh", ["-c", "echo why >&2; exit 1"]),
    (error: unknown) =>
      error instanceof CodedError && error.wireText === "QXGA-5004 sh failed (exit code 1): why",
  );
});

test("a program that is not there is told apart", async () => {
  await assert.rejects(tools.run("no-such-tool", []), ToolMissing);
  await assert.rejects(
    tools.expect("password", "no-such-tool", []),
    (error: unknown) =>
      error instanceof CodedError && error.wireText === "QXGA-5003 this guest has no no-such-tool",
  );
});

test("an aborted signal ends a tool", async () => {
  const controller = new AbortController();
  const running = tools.run("sleep", ["100"], { signal: controller.signal });
  controller.abort(new Error("given up"));
  await assert.rejects(running, /given up/);
});
