import { setMaxListeners } from "node:events";
import { HostError } from "../errors.ts";
import { checkAnswer } from "../commands/answer.ts";
import type { Session } from "../session.ts";
import type { FileInfo } from "./file-info.ts";
import { changedError } from "./incoming.ts";
import type { ByteSource } from "./source.ts";
import { stat } from "./stat.ts";
import { identityOf } from "./identity.ts";

/** protocol.md, file_read: what known hosts ask for. */
export const chunkBytes = 64 * 1024;

/** Requests under way at a time. Agents without sessions have less room for answers. */
export function chunksAtATime(session: Session): number {
  return session.terms.mode === "session" ? 16 : 8;
}

interface Range {
  offset: number;
  length: number | undefined;
  version: string;
  signal: AbortSignal | undefined;
}

interface Chunk {
  pieces: Buffer[];
  bytes: number;
  eof: boolean;
}

/**
 * A file as agents without the extension "files" give it: by the piece, each found by its path anew. So the file is
 * looked at again in the end, whether it is still the one that it was.
 */
export class ChunkSource implements ByteSource {
  readonly info: FileInfo;
  readonly #session: Session;
  readonly #path: string;
  readonly #range: Range;
  readonly #given = new AbortController();
  readonly #signal: AbortSignal;
  /** In order. */
  readonly #coming: Promise<Chunk>[] = [];
  /** Where the next request begins. */
  #at: number;
  /** Given to the reader, and not used up. */
  #untakenBytes = 0;
  #ended = false;

  private constructor(session: Session, path: string, info: FileInfo, range: Range) {
    this.#session = session;
    this.#path = path;
    this.info = info;
    this.#range = range;
    this.#at = range.offset;
    this.#signal = range.signal ? AbortSignal.any([range.signal, this.#given.signal]) : this.#given.signal;
    setMaxListeners(0, this.#signal); // each request listens
  }

  static async open(session: Session, path: string, range: Range): Promise<ChunkSource> {
    const info = await stat(session, path, { signal: range.signal });
    if (range.version !== "" && identityOf(info) !== range.version) throw changedError(path);
    return new ChunkSource(session, path, info, range);
  }

  async next(): Promise<Buffer[] | undefined> {
    if (this.#ended) return undefined;
    this.#ask();
    const coming = this.#coming.shift();
    const chunk = coming ? await coming : { pieces: [], bytes: 0, eof: true };
    if (chunk.eof) {
      this.#ended = true;
      this.close();
      await this.#checkUnchanged();
    }
    this.#untakenBytes += chunk.bytes;
    return chunk.bytes > 0 ? chunk.pieces : this.next();
  }

  taken(bytes: number): void {
    this.#untakenBytes -= bytes;
    if (!this.#ended) this.#ask();
  }

  close(): void {
    this.#given.abort(new Error("nothing more is wanted"));
  }

  /** Asks for as much as may be under way. Behind the size that the file had it is one at a time: until its end. */
  #ask(): void {
    const { offset, length = Infinity } = this.#range;
    const end = offset + length;
    const most = chunksAtATime(this.#session);
    while (this.#at < end && this.#coming.length + this.#untakenBytes / chunkBytes < most) {
      if (this.#at >= this.info.sizeBytes && this.#coming.length > 0) return;
      const wantedBytes = Math.min(chunkBytes, end - this.#at);
      const chunk = this.#read(this.#at, wantedBytes, this.#at + wantedBytes >= end);
      chunk.catch(() => undefined); // next() tells, unless nobody wants it any more
      this.#coming.push(chunk);
      this.#at += wantedBytes;
    }
  }

  /** Agents may give less than is asked for, also when it is not the end. */
  async #read(offset: number, wantedBytes: number, isLast: boolean): Promise<Chunk> {
    const chunk: Chunk = { pieces: [], bytes: 0, eof: false };
    while (chunk.bytes < wantedBytes && !chunk.eof) {
      const left = wantedBytes - chunk.bytes;
      const request = { path: this.#path, offset: offset + chunk.bytes, length: left, chunkSize: left };
      const response = await this.#session.request("fileRead", request, { signal: this.#signal });
      checkAnswer(response);
      const data = Buffer.from(response.data);
      if (data.length > left || (data.length === 0 && !response.eof)) {
        const text = `the agent answered with ${data.length} bytes of ${this.#path} where ${left} were asked for`;
        throw new HostError("agent-error", text);
      }
      chunk.pieces.push(data);
      chunk.bytes += data.length;
      chunk.eof = response.eof;
    }
    chunk.eof ||= isLast;
    return chunk;
  }

  async #checkUnchanged(): Promise<void> {
    if (this.info.sizeBytes === 0) return; // it may be one of /proc, whose times are always now
    const info = await stat(this.#session, this.#path, { signal: this.#range.signal });
    if (identityOf(info) !== identityOf(this.info)) throw changedError(this.#path);
  }
}
