import { Writable } from "node:stream";
import type { Session } from "../session.ts";
import type { FileInfo } from "./file-info.ts";
import type { WriteOptions } from "./options.ts";
import { type FileSink, openSink } from "./sink.ts";

type Callback = (error?: Error | null) => void;

/** See Files.writeFile(). */
export async function writeFile(
  session: Session,
  path: string,
  data: Uint8Array | string,
  options: WriteOptions,
): Promise<FileInfo> {
  const bytes =
    typeof data === "string" ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const sink = await openSink(session, path, { ...options, totalBytes: bytes.length });
  try {
    await sink.send(bytes);
    return await sink.commit(bytes.length);
  } finally {
    sink.cancel();
  }
}

/** Written data that may wait here. */
const waitingBytes = 1024 * 1024;

/** See Files.writeStream(). */
export class GuestWritable extends Writable {
  readonly #session: () => Promise<Session>;
  readonly #path: string;
  readonly #options: WriteOptions;
  #sink: FileSink | undefined;
  #bytes = 0;

  constructor(session: () => Promise<Session>, path: string, options: WriteOptions) {
    super({ highWaterMark: waitingBytes });
    this.#session = session;
    this.#path = path;
    this.#options = options;
  }

  override _construct(callback: Callback): void {
    settle(this.#open(), callback);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#bytes += chunk.length;
    settle(this.#begun.send(chunk), callback);
  }

  /** Small ones are joined: a frame for each would be slow. */
  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", callback);
  }

  override _final(callback: Callback): void {
    settle(this.#begun.commit(this.#bytes), callback);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#sink?.cancel(); // nothing, when it is committed
    callback(error);
  }

  async #open(): Promise<void> {
    const onFail = (error: Error): void => {
      this.destroy(error); // also while nothing is written
    };
    const sink = await openSink(await this.#session(), this.#path, { ...this.#options, onFail });
    if (this.destroyed) sink.cancel();
    this.#sink = sink;
  }

  get #begun(): FileSink {
    if (this.#sink === undefined) throw new Error(`${this.#path} was not opened`);
    return this.#sink;
  }
}

function settle(work: Promise<unknown>, callback: Callback): void {
  work.then(
    () => {
      callback();
    },
    (error: unknown) => {
      callback(error as Error);
    },
  );
}
