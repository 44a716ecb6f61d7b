import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Envelope } from "../../src/wire/envelope.ts";
import { type Request, type RequestFields, type RequestName, responseOf } from "../../src/wire/operations.ts";
import { Daemon } from "./daemon.ts";
import { RawHost } from "./raw-host.ts";

/** The fields that all answers to file requests have, and those of each. */
export type Answer = { success: boolean; error: string } & Record<string, unknown>;

/** A host that asks for files, the daemon that it asks, and a folder for both to play in. */
export class FileHost {
  readonly folder = mkdtempSync(path.join(tmpdir(), "files-"));
  readonly daemon: Daemon;
  #host: RawHost | undefined;

  private constructor(daemon: Daemon) {
    this.daemon = daemon;
  }

  /** `config` is YAML, in which FOLDER stands for the folder. */
  static async start(config = ""): Promise<FileHost> {
    const self = new FileHost(new Daemon());
    self.daemon.start({ config: `log_level: error\n${config.replaceAll("FOLDER", self.folder)}` });
    self.#host = await RawHost.connect(self.daemon.socket);
    return self;
  }

  get host(): RawHost {
    assert.ok(this.#host);
    return this.#host;
  }

  at(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  /** One request and its answer, whatever that says. */
  async ask<R extends RequestName>(
    name: R,
    request: RequestFields<R>,
    { messageId, deadlineMs }: { messageId?: string; deadlineMs?: number } = {},
  ): Promise<Answer> {
    const envelope: Envelope = { ...(messageId !== undefined && { messageId }), [name]: request };
    const message = await this.host.ask(envelope, "plain", deadlineMs);
    const answer = message[responseOf[name]] as Partial<Answer> | undefined;
    assert.ok(answer, `${name} was answered with ${JSON.stringify(message)}`);
    return { ...answer, success: answer.success ?? false, error: answer.error ?? "" };
  }

  /** One that must succeed. */
  async do<R extends RequestName>(name: R, request: RequestFields<R>): Promise<Answer> {
    const answer = await this.ask(name, request);
    assert.equal(answer.error, "");
    assert.equal(answer.success, true);
    return answer;
  }

  /** One that must fail with this code: "QXGA-4001". */
  async fails<R extends RequestName>(name: R, request: RequestFields<R>, code: string): Promise<string> {
    const { success, error } = await this.ask(name, request);
    assert.equal(success, false, `${name} ${JSON.stringify(request)} succeeded`);
    assert.equal(error.slice(0, code.length), code, error);
    return error;
  }

  /** As the known hosts do: pieces of 64 KiB at their offsets, one after the other. */
  async write(file: string, data: Buffer, fields: Partial<Request<"fileWrite">> = {}): Promise<void> {
    const chunk = 64 * 1024;
    const count = Math.max(1, Math.ceil(data.length / chunk));
    for (let i = 0; i < count; i++) {
      const piece = data.subarray(i * chunk, (i + 1) * chunk);
      const answer = await this.do("fileWrite", {
        path: file,
        data: piece,
        offset: i * chunk,
        chunkNumber: i,
        totalChunks: count,
        eof: i === count - 1,
        createParents: true,
        ...fields,
      });
      assert.equal(Number(answer["bytesWritten"] ?? 0), piece.length);
      assert.equal(answer["chunkNumber"] ?? 0, i);
    }
  }

  /** As the known hosts do: on by what came, until eof. */
  async read(file: string, chunkSize = 0): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let offset = 0; ;) {
      const answer = await this.do("fileRead", { path: file, offset, chunkSize });
      const data = (answer["data"] as Buffer | undefined) ?? Buffer.alloc(0);
      pieces.push(data);
      offset += data.length;
      if (answer["eof"] === true) return Buffer.concat(pieces);
      assert.ok(data.length > 0, "neither data nor eof");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host?.close();
    await this.daemon[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
