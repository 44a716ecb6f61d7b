import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { HostError } from "../../src/host/index.ts";
import { FakeAgent, type FakeAgentOptions } from "./fake-agent.ts";

/** Runs `body` with an agent whose answers the test decides, at a socket of its own. */
export async function withAgent(
  options: FakeAgentOptions,
  body: (socket: string, agent: FakeAgent) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "client-"));
  const socket = path.join(folder, "agent.sock");
  const agent = await FakeAgent.listen(socket, options);
  try {
    await body(socket, agent);
  } finally {
    await agent.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The code that a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    assert.ok(error instanceof HostError, String(error));
    return error.code;
  }
}
