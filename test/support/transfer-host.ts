import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import type { AgentMessage } from "../../src/wire/envelope.ts";
import { toNumber } from "../../src/wire/envelope.ts";
import { maxStreamDataBytes } from "../../src/wire/stream-frame.ts";
import type { RequestFields } from "../../src/wire/operations.ts";
import type { Daemon } from "./daemon.ts";
import type { RawHost } from "./raw-host.ts";
import { until } from "./until.ts";

/** Files in a folder, and below it, that are not in their places yet. */
export function unfinishedIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.includes(".limiquantix"));
}

/** What the agent remembers of uploads. */
export function journalOf(daemon: Daemon): string[] {
  const uploads = path.join(daemon.stateDir, "uploads");
  return existsSync(uploads) ? readdirSync(uploads) : [];
}

/** What a host does for transfers, frame by frame. */
export class TransferHost {
  readonly host: RawHost;
  #counter = 0;

  constructor(host: RawHost) {
    this.host = host;
  }

  async get(request: RequestFields<"fileGet">, messageId = `get-${++this.#counter}`) {
    const { fileGetResponse: answer } = await this.host.ask({
      messageId,
      fileGet: { windowBytes: 1024 * 1024, ...request },
    });
    assert.ok(answer);
    return { id: answer.streamId ?? "", error: answer.error ?? "", entry: answer.entry };
  }

  /** Begins an upload that must be possible. */
  async put(request: RequestFields<"filePut">, messageId = `put-${++this.#counter}`) {
    const { filePutResponse: answer } = await this.host.ask({ messageId, filePut: request });
    assert.ok(answer);
    assert.equal(answer.error ?? "", "");
    return {
      id: answer.streamId ?? "",
      receivedBytes: toNumber(answer.receivedBytes ?? 0),
      creditBytes: toNumber(answer.windowBytes ?? 0),
    };
  }

  /** What an upload that must be refused is answered with. */
  async refusal(request: RequestFields<"filePut">): Promise<string> {
    const { filePutResponse: answer } = await this.host.ask({ filePut: request });
    assert.ok(answer?.error);
    return answer.error;
  }

  data(streamId: string, data: Uint8Array): void {
    this.host.send({ messageId: "data", streamData: { streamId, channel: 0, data } });
  }

  /** Sends all of `bytes` within the credit. */
  async send({ id, creditBytes }: { id: string; creditBytes: number }, bytes: Buffer): Promise<void> {
    const from = this.#credited(id);
    for (let at = 0; at < bytes.length;) {
      const credit = creditBytes + this.#credited(id) - from - at;
      const piece = bytes.subarray(at, at + Math.min(credit, maxStreamDataBytes));
      if (piece.length === 0) {
        await until("credit", () => creditBytes + this.#credited(id) - from > at, 20_000);
        continue;
      }
      this.data(id, piece);
      at += piece.length;
    }
  }

  async commit(streamId: string, totalBytes: number, sha256?: Buffer) {
    const { transferCommitResponse: answer } = await this.host.ask({
      transferCommit: { streamId, totalBytes, ...(sha256 && { sha256 }) },
    });
    assert.ok(answer);
    const { success, error, entry, entries } = answer;
    return { success: success ?? false, error: error ?? "", entry, entries: toNumber(entries ?? 0) };
  }

  async getTree(request: RequestFields<"treeGet">, messageId = `get-${++this.#counter}`) {
    const { treeGetResponse: answer } = await this.host.ask({
      messageId,
      treeGet: { windowBytes: 64 * 1024 * 1024, ...request },
    });
    assert.ok(answer);
    return { id: answer.streamId ?? "", error: answer.error ?? "" };
  }

  async putTree(request: RequestFields<"treePut">, messageId = `put-${++this.#counter}`) {
    const { treePutResponse: answer } = await this.host.ask({ messageId, treePut: request });
    assert.ok(answer);
    return {
      id: answer.streamId ?? "",
      error: answer.error ?? "",
      creditBytes: toNumber(answer.windowBytes ?? 0),
    };
  }

  /** Puts a file in its place. */
  async upload(path: string, bytes: Buffer, request: RequestFields<"filePut"> = {}): Promise<void> {
    const stream = await this.put({ path, ...request });
    await this.send(stream, bytes.subarray(stream.receivedBytes));
    assert.equal((await this.commit(stream.id, bytes.length)).error, "");
  }

  messages(id: string): AgentMessage[] {
    return this.host.received
      .map(({ message }) => message)
      .filter(
        ({ streamData, transferEnded }) => streamData?.streamId === id || transferEnded?.streamId === id,
      );
  }

  received(id: string): Buffer {
    return Buffer.concat(this.messages(id).map(({ streamData }) => streamData?.data ?? new Uint8Array()));
  }

  async ended(id: string) {
    const message = await until(
      `the end of ${id}`,
      () => this.messages(id).find(({ transferEnded }) => transferEnded),
      20_000,
    );
    const { error, bytes, sha256 } = message.transferEnded ?? {};
    return { error: error ?? "", bytes: toNumber(bytes ?? 0), sha256: Buffer.from(sha256 ?? []) };
  }

  skipped(id: string): readonly string[] {
    return this.messages(id).flatMap(({ transferEnded }) => transferEnded?.skipped ?? []);
  }

  credit(streamId: string, bytes: number): void {
    this.host.send({ messageId: "credit", streamCredit: { streamId, channel: 1, bytes } });
  }

  #credited(id: string): number {
    return this.host.received
      .map(({ message: { streamCredit } }) =>
        streamCredit?.streamId === id ? toNumber(streamCredit.bytes ?? 0) : 0,
      )
      .reduce((sum, bytes) => sum + bytes, 0);
  }
}
