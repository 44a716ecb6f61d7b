import { Readable } from "node:stream";
import { whole } from "../commands/options.ts";
import type { Session } from "../session.ts";
import { tooLarge } from "./append.ts";
import type { ReadFileOptions, ReadStreamOptions } from "./options.ts";
import { type ByteSource, openSource } from "./source.ts";

const defaultMaxBytes = 256 * 1024 * 1024;

/** What is asked for at once, about. */
const askedForBytes = 256 * 1024;

/** See Files.readFile(). */
export async function readFile(
  session: Session,
  path: string,
  options: ReadFileOptions,
): Promise<Buffer | string> {
  const { encoding, maxBytes = defaultMaxBytes, signal } = options;
  const { source } = await openSource(session, path, { ...rangeOf(options), signal });
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for (
      let some = await source.next(askedForBytes);
      some !== undefined;
      some = await source.next(askedForBytes)
    ) {
      const before = bytes;
      for (const piece of some) bytes += piece.length;
      if (bytes > maxBytes) throw tooLarge(path, maxBytes);
      pieces.push(...some);
      source.taken(bytes - before);
    }
  } finally {
    source.close();
  }
  const all = Buffer.concat(pieces, bytes);
  return encoding === undefined ? all : all.toString(encoding);
}

/** See Files.readStream(). */
export class GuestReadable extends Readable {
  readonly #session: () => Promise<Session>;
  readonly #path: string;
  readonly #options: ReadStreamOptions;
  #source: ByteSource | undefined;
  /** Handed to the reader, who has not asked for more yet. */
  #handedOutBytes = 0;

  constructor(session: () => Promise<Session>, path: string, options: ReadStreamOptions) {
    // Each _read then says that all that was pushed before has been taken.
    super({ highWaterMark: 1 });
    this.#session = session;
    this.#path = path;
    const { version, signal, windowBytes } = options;
    this.#options = {
      ...rangeOf(options),
      version,
      signal,
      windowBytes:
        windowBytes === undefined ? undefined : whole("windowBytes", windowBytes, 1, Number.MAX_SAFE_INTEGER),
    };
  }

  override _read(): void {
    this.#next().catch((error: unknown) => {
      this.destroy(error as Error);
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source?.close();
    callback(error);
  }

  async #next(): Promise<void> {
    const source = (this.#source ??= await this.#open());
    source.taken(this.#handedOutBytes);
    this.#handedOutBytes = 0;
    const pieces = await source.next(1); // one piece, as it has come
    if (this.destroyed) return;
    for (const piece of pieces ?? []) this.#handedOutBytes += piece.length;
    if (pieces === undefined) this.push(null);
    else this.#push(pieces);
  }

  async #open(): Promise<ByteSource> {
    const onFail = (error: Error): void => {
      this.destroy(error); // also while it is not read
    };
    const { source } = await openSource(await this.#session(), this.#path, { ...this.#options, onFail });
    if (this.destroyed) source.close();
    return source;
  }

  /** Each push() may ask for the next at once: only the last one may. */
  #push(pieces: readonly Buffer[]): void {
    this.push(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
  }
}

function rangeOf({ offset, length }: { offset?: number | undefined; length?: number | undefined }): {
  offset: number | undefined;
  length: number | undefined;
} {
  return {
    offset: offset === undefined ? undefined : whole("offset", offset, 0, Number.MAX_SAFE_INTEGER),
    // 0 would be all of it.
    length: length === undefined ? undefined : whole("length", length, 1, Number.MAX_SAFE_INTEGER),
  };
}
