import { drained } from "./drained.ts";
import type { Extract, Source } from "./tar-stream-types.ts";
import { type TarEntry, toTarEntry } from "./tar-entry.ts";
import { invalid, TarFraming } from "./tar-framing.ts";

/**
 * The entries of a tar stream: ustar, pax, or GNU's. `content` must be read to its end before the next entry is asked
 * for. Rejects with CodedError: invalidMessage for what is no tar stream, or ends early, and those of toTarEntry(); with
 * what `input` rejects with; and with the signal's reason at once, whether or not more comes. Afterwards `input` is not
 * read any more.
 */
export async function* tarEntries(
  input: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<TarEntry, void> {
  signal.throwIfAborted();
  const { extract } = await import("tar-stream");
  const parser = extract();
  let inputError: { cause: unknown } | undefined;
  const explained = (error: unknown): unknown => {
    if (signal.aborted) return signal.reason;
    return inputError ? inputError.cause : invalid((error as Error).message);
  };
  const stop = (): void => {
    parser.destroy(new Error("given up"));
  };
  signal.addEventListener("abort", stop);
  // Not waited for at the end: it may wait for a host that sends nothing more.
  feed(parser, input).catch((cause: unknown) => {
    inputError ??= { cause };
    parser.destroy(new Error("the input failed", { cause }));
  });
  const sources = parser[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await sources.next().catch((error: unknown): never => {
        throw explained(error);
      });
      if (next.done === true) return;
      yield toTarEntry(next.value.header, contentOf(next.value, explained));
    }
  } finally {
    signal.removeEventListener("abort", stop);
    parser.destroy();
  }
}

async function feed(parser: Extract, input: AsyncIterable<Buffer>): Promise<void> {
  const framing = new TarFraming();
  for await (const chunk of input) {
    const bytes = framing.take(chunk);
    if (parser.destroyed) return;
    if (bytes > 0 && !parser.write(chunk.subarray(0, bytes))) await drained(parser);
  }
  framing.end();
  parser.end(null);
}

async function* contentOf(
  source: Source,
  explained: (error: unknown) => unknown,
): AsyncGenerator<Buffer, void> {
  try {
    for await (const chunk of source) yield chunk as Buffer;
  } catch (error) {
    throw explained(error);
  }
}
