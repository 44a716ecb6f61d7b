import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import type { FakeAgent } from "./fake-agent.ts";
import { FakeFiles, type FakeFilesOptions } from "./fake-files.ts";
import { withAgent } from "./with-agent.ts";

/** A folder of this host for each test of a file. */
export class LocalFolder {
  path = "";

  constructor() {
    beforeEach(() => {
      this.path = mkdtempSync(path.join(tmpdir(), "files-"));
    });
    afterEach(() => {
      rmSync(this.path, { recursive: true, force: true });
    });
  }

  at(name: string): string {
    return path.join(this.path, name);
  }
}

/** Runs `body` with a client of an agent that has a file, /a, of a million bytes: "abcabc…". */
export async function withFiles(
  options: FakeFilesOptions,
  body: (files: Client["files"], guest: FakeFiles, agent: FakeAgent) => Promise<void>,
): Promise<void> {
  const guest = new FakeFiles(options);
  guest.files.set("/a", Buffer.alloc(1_000_000, "abc"));
  await withAgent({ guest }, async (socket, agent) => {
    await using client = await connect({ socket, reconnect: false });
    await body(client.files, guest, agent);
  });
}

/** Bytes that are not the same anywhere near. */
export function pattern(bytes: number): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761);
  return Buffer.from(words.buffer, 0, bytes);
}
