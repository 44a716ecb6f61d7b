import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { type Client, HostError, connect } from "../../src/host/index.ts";
import { Daemon } from "./daemon.ts";
import { until } from "./until.ts";

/** The guest's files are in a folder of this machine, too. */
export interface Guest {
  files: Client["files"];
  client: Client;
  daemon: Daemon;
  at: (name: string) => string;
  /** What is in the folder. */
  names: () => string[];
}

export async function withGuest(body: (guest: Guest) => Promise<void>): Promise<void> {
  await using daemon = new Daemon();
  const folder = path.join(daemon.folder, "guest");
  daemon.start();
  await using client = await until("a connection", () =>
    connect({ socket: daemon.socket }).catch(() => undefined),
  );
  await client.files.writeFile(path.join(folder, "first"), "", { createParents: true });
  await body({
    files: client.files,
    client,
    daemon,
    at: (name) => path.join(folder, name),
    names: () =>
      readdirSync(folder)
        .filter((name) => name !== "first")
        .sort(),
  });
}

export async function agentCodeOf(promise: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof HostError, String(error));
  return error.agentCode;
}
