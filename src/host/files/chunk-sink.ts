import { streamDataHeadBytes } from "../../wire/stream-frame.ts";
import { checkAnswer } from "../commands/answer.ts";
import type { Session } from "../session.ts";
import { chunkBytes, chunksAtATime } from "./chunk-source.ts";
import { modeField } from "./entries.ts";
import type { FileInfo } from "./file-info.ts";
import type { FileSink, SinkOptions } from "./sink.ts";
import { stat } from "./stat.ts";

/**
 * A file as agents without the extension "files" take it: by the piece, into the file itself. The first piece cuts what is
 * there, so the others follow when that is answered; the last one tells that it is, so it follows when all are.
 */
export class ChunkSink implements FileSink {
  readonly receivedBytes = 0;
  readonly #session: Session;
  readonly #path: string;
  readonly #options: SinkOptions;
  readonly #mode: number;
  readonly #waiting = Buffer.allocUnsafeSlow(chunkBytes);
  #waitingBytes = 0;
  #sentChunks = 0;
  readonly #underWay = new Set<Promise<void>>();
  #error: unknown;

  private constructor(session: Session, path: string, options: SinkOptions) {
    this.#session = session;
    this.#path = path;
    this.#options = options;
    this.#mode = modeField(options.mode);
  }

  /** Throws a HostError for what these agents cannot do. */
  static open(session: Session, path: string, options: SinkOptions): ChunkSink {
    for (const name of ["owner", "group", "modifiedAt", "version", "uploadId"] as const) {
      if (options[name] !== undefined) session.require("files", `writing with ${name}`);
    }
    if (options.exclusive) session.require("files", "writing with exclusive");
    return new ChunkSink(session, path, options);
  }

  async sendInPlace(buffer: Buffer, dataBytes: number, taken: () => void): Promise<void> {
    await this.send(buffer.subarray(streamDataHeadBytes, streamDataHeadBytes + dataBytes)).finally(taken);
  }

  async send(data: Buffer): Promise<void> {
    for (let rest = data; rest.length > 0;) {
      // What waits may be the last piece, until more comes.
      if (this.#waitingBytes === chunkBytes) await this.#sendWaiting(false);
      const count = rest.copy(this.#waiting, this.#waitingBytes);
      this.#waitingBytes += count;
      rest = rest.subarray(count);
    }
  }

  async commit(_totalBytes: number, sha256?: Buffer): Promise<FileInfo> {
    if (sha256) this.#session.require("files", "a checksum");
    await Promise.all(this.#underWay);
    await this.#sendWaiting(true);
    await Promise.all(this.#underWay);
    this.#throwIfFailed();
    return await stat(this.#session, this.#path, { signal: this.#options.signal });
  }

  /** There is nothing to give up: what is sent is in the file. */
  cancel(): void {
    this.#waitingBytes = 0;
  }

  async #sendWaiting(eof: boolean): Promise<void> {
    this.#throwIfFailed();
    this.#write(this.#waiting.subarray(0, this.#waitingBytes), eof);
    this.#waitingBytes = 0;
    const most = this.#sentChunks === 1 ? 1 : chunksAtATime(this.#session);
    while (this.#underWay.size >= most) await Promise.race(this.#underWay);
    this.#throwIfFailed();
  }

  /** The request is made, and `data` copied for it, at once. */
  #write(data: Buffer, eof: boolean): void {
    const { createParents = false, sparse = false, totalBytes, signal } = this.#options;
    const chunkNumber = this.#sentChunks++;
    const request = {
      path: this.#path,
      data,
      offset: chunkNumber * chunkBytes,
      eof,
      mode: this.#mode,
      createParents,
      chunkNumber,
      totalChunks: totalBytes === undefined ? 0 : Math.max(1, Math.ceil(totalBytes / chunkBytes)),
      sparse,
    };
    const writing = this.#session
      .request("fileWrite", request, { signal })
      .then(checkAnswer)
      .catch((error: unknown) => {
        this.#error ??= error;
      })
      .finally(() => this.#underWay.delete(writing));
    this.#underWay.add(writing);
  }

  #throwIfFailed(): void {
    if (this.#error !== undefined) throw this.#error as Error;
  }
}
