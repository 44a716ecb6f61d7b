import { fact, factCount } from "../../native/files.ts";
import { maxFrameBytes } from "../../wire/frame.ts";
import type { Policy } from "../policy/policy.ts";
import { mostTries, openForReading } from "./open-file.ts";
import { type HeldFile, OpenFiles } from "./open-files.ts";
import { system } from "./system/index.ts";
import { changing } from "./writing.ts";

/** What one answer can carry besides its other fields and its frame. */
export const mostPieceBytes = maxFrameBytes - 64 * 1024;

/** All pieces that are being read have this much memory together; with many at a time each is shorter. */
const memoryBytes = 32 * 1024 * 1024;
const shortestPieceBytes = 64 * 1024;

/** More takes the main thread too long. */
const mostCachedBytes = 256 * 1024;

/** Buffers of that size are used again: garbage of this kind comes faster than it is collected. */
const mostSpare = 4;

export interface Piece {
  data: Buffer;
  eof: boolean;
  sizeBytes: number;
  mode: number;
  modifiedAt: { seconds: number; nanos: number };
  /** The first that this session gets from this open file. */
  isFirst: boolean;
}

/** Reads files in pieces. */
export class Reading {
  readonly #policy: Pick<Policy, "paths">;
  readonly #open = new OpenFiles();
  readonly #spare: Buffer[] = [];
  #asked = 0;

  constructor(policy: Pick<Policy, "paths">) {
    this.#policy = policy;
  }

  /** Called for each request before it waits for anything; gives what its memory is bounded by, and must be ended. */
  begin(): () => void {
    this.#asked++;
    return () => {
      this.#asked--;
    };
  }

  /**
   * The same at once, if it takes no waiting: what follows on a piece that this session has had, and is in memory. A way to
   * another thread and back takes several times as long as the whole rest of it.
   */
  cached(path: string, offset: number, bytes: number, session: string): Piece | undefined {
    const held = offset === 0 ? undefined : this.#open.get(path);
    if (held?.auditedFor !== session || bytes > mostCachedBytes) return undefined;
    const data = this.#buffer(bytes);
    const facts = new Float64Array(factCount);
    if (system.readCached(held.fd, path, offset, data, facts)) {
      this.#open.enter(held);
      this.#open.leave(held);
      return this.#pieceOf(held, data, facts, offset, session);
    }
    this.giveBack({ data });
    return undefined;
  }

  /** At most `bytes` from `offset`. Rejects as openForReading(), and with the system's error. */
  async piece(path: string, offset: number, bytes: number, session: string): Promise<Piece> {
    const bound = Math.max(shortestPieceBytes, Math.floor(memoryBytes / Math.max(1, this.#asked)));
    const data = this.#buffer(Math.min(bytes, bound));
    const facts = new Float64Array(factCount);
    for (let tries = 0; tries < mostTries; tries++) {
      const held = await this.#file(path, offset);
      try {
        if (await system.readPiece(held.fd, path, offset, data, facts)) {
          return this.#pieceOf(held, data, facts, offset, session);
        }
        this.#open.drop(held); // something else is there now
      } catch (error) {
        this.#open.drop(held);
        throw error;
      } finally {
        this.#open.leave(held);
      }
    }
    throw changing(path);
  }

  /** The buffer of a piece that has been sent. */
  giveBack({ data }: Pick<Piece, "data">): void {
    const { buffer } = data;
    if (buffer.byteLength === shortestPieceBytes && this.#spare.length < mostSpare) {
      this.#spare.push(Buffer.from(buffer));
    }
  }

  #buffer(bytes: number): Buffer {
    const spare = bytes === shortestPieceBytes ? this.#spare.pop() : undefined;
    return spare ?? Buffer.allocUnsafeSlow(bytes);
  }

  async #file(path: string, offset: number): Promise<HeldFile> {
    const known = offset === 0 ? undefined : this.#open.get(path);
    if (known === undefined) return this.#open.hold(path, await openForReading(path, this.#policy.paths));
    this.#open.enter(known);
    return known;
  }

  #pieceOf(held: HeldFile, data: Buffer, facts: Float64Array, offset: number, session: string): Piece {
    const of = (name: keyof typeof fact): number => facts[fact[name]] ?? 0;
    const count = of("count");
    const sizeBytes = of("size");
    // Files of /proc say that they have no bytes: their end is where there are none.
    const eof = count < data.length || (sizeBytes > 0 && offset + count >= sizeBytes);
    if (eof) this.#open.drop(held);
    const isFirst = held.auditedFor !== session;
    held.auditedFor = session;
    return {
      data: data.subarray(0, count),
      eof,
      sizeBytes,
      mode: of("mode"),
      modifiedAt: { seconds: of("modifiedSeconds"), nanos: of("modifiedNanos") },
      isFirst,
    };
  }
}
