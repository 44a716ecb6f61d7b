import type { Pack } from "tar-stream";
import { maxStreamDataBytes } from "../../wire/stream-frame.ts";
import type { Folder } from "../files/folder.ts";
import { close } from "../files/io.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { ahead } from "./ahead.ts";
import type { Piece } from "./piece.ts";
import { PieceWriter } from "./piece-writer.ts";
import { Skipped } from "./skipped.ts";
import { type ReadPieces, Walk } from "./walk.ts";

/** Batches of small files that are read at a time. */
const readAhead = 4;

/** What waits in tar-stream for somebody to take it. */
const waitingBytes = 256 * 1024;

export interface PackedTree {
  /**
   * A tar stream (pax), in buffers of 65,280 bytes but the last. Nothing is opened before it is read; to stop reading
   * frees all. Rejects when the top cannot be read (CodedError readBlocked, or the system's error), and with the signal's
   * reason.
   */
  stream: AsyncIterable<Buffer>;
  /** What was left out so far, or is not as it was. */
  skipped: Readonly<Skipped>;
}

/**
 * Packs what is below `folder`, which stays the caller's, and open until the stream has begun. Names are relative to it,
 * "./" first. Links are packed as links, hard links within the tree as such, with owners, times and all mode bits. Left
 * out, and told in `skipped`: sockets, FIFOs, devices, what is mounted, what the policy denies or the system does not let
 * us read, names that are not UTF-8. A large file that becomes shorter while it is read is filled up with zeros, and told
 * there too.
 */
export function packTree(
  folder: Folder,
  { policy, signal }: { policy: PathPolicy; signal: AbortSignal },
): PackedTree {
  const skipped = new Skipped();
  return { stream: packed(folder, policy, signal, skipped), skipped };
}

async function* packed(
  folder: Folder,
  policy: PathPolicy,
  signal: AbortSignal,
  skipped: Skipped,
): AsyncGenerator<Buffer, void> {
  signal.throwIfAborted();
  const { pack } = await import("tar-stream");
  const tar = pack({ highWaterMark: waitingBytes });
  const stopped = new AbortController();
  const stop = (): void => {
    stopped.abort(signal.reason);
    tar.destroy(signal.reason instanceof Error ? signal.reason : new Error("given up"));
  };
  signal.addEventListener("abort", stop);
  const walk = Walk.pieces(folder, { check: policy.readChecks(), skipped, signal: stopped.signal });
  const filling = fill(tar, walk, skipped).catch((error: unknown) => {
    tar.destroy(error as Error);
  });
  try {
    yield* joined(tar as AsyncIterable<Uint8Array>);
    await filling;
  } finally {
    signal.removeEventListener("abort", stop);
    stopped.abort();
    tar.destroy(); // what is being read ends by itself, and is closed then
  }
}

async function fill(tar: Pack, walk: AsyncIterable<ReadPieces>, skipped: Skipped): Promise<void> {
  const writer = new PieceWriter(tar, skipped);
  const batches = ahead(walk, readAhead, closeAll);
  for await (const batch of batches) {
    try {
      for (let piece = batch.shift(); piece; piece = batch.shift()) await writer.write(piece);
    } finally {
      closeAll(batch);
    }
  }
  tar.finalize();
}

function closeAll(pieces: readonly Piece[]): void {
  for (const piece of pieces) if (piece.type === "large-file") close(piece.fd);
}

/** The same bytes in buffers of the size that a frame takes. */
async function* joined(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  let buffer = Buffer.allocUnsafeSlow(maxStreamDataBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length;) {
      const count = Math.min(chunk.length - taken, buffer.length - filled);
      buffer.set(chunk.subarray(taken, taken + count), filled);
      taken += count;
      filled += count;
      if (filled < buffer.length) continue;
      yield buffer;
      buffer = Buffer.allocUnsafeSlow(maxStreamDataBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
