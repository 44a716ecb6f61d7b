import type { FileHandle } from "node:fs/promises";
import { maxStreamDataBytes, streamDataHeadBytes } from "../../wire/stream-frame.ts";
import { deferred } from "../waiting.ts";
import { locally } from "./local-error.ts";

/** Pieces that are read at once: 1 MiB with their heads. */
const piecesPerBlock = 16;

/** One is read, one is sent, and one is with the socket. */
const blocksInAll = 3;

const pieceRoomBytes = streamDataHeadBytes + maxStreamDataBytes;

/** A part of a file that is in memory: pieces with room before each for what a frame begins with. */
export interface Piece {
  /** Data at streamDataHeadBytes. */
  buffer: Buffer;
  dataBytes: number;
  /** To be called when `buffer` may be used for something else. */
  done: () => void;
}

interface Block {
  buffers: Buffer[];
  /** Where the data goes. */
  views: Buffer[];
  inUse: number;
}

/** Reads a file of this host ahead of who sends it, into the same memory again and again. */
export class LocalReader {
  readonly #file: FileHandle;
  readonly #localPath: string;
  readonly #free: Block[] = [];
  #made = 0;
  #reading: Promise<unknown> = Promise.resolve();
  #freed = deferred<undefined>();
  #at: number;

  constructor(file: FileHandle, localPath: string, from: number) {
    this.#file = file;
    this.#localPath = localPath;
    this.#at = from;
  }

  /** All pieces up to `end`, or the file's own end. Each must be done() with. */
  async *pieces(end: number): AsyncGenerator<Piece[], void, undefined> {
    let coming = this.#read(end);
    try {
      for (;;) {
        const pieces = await coming;
        if (pieces.length === 0) return;
        coming = this.#read(end);
        coming.catch(() => undefined); // the next turn throws it
        yield pieces;
      }
    } finally {
      // Who closes the file now must not do so under a read.
      await this.#reading.catch(() => undefined);
    }
  }

  async #read(end: number): Promise<Piece[]> {
    const block = await this.#takeBlock();
    const wanted = Math.min(end - this.#at, piecesPerBlock * maxStreamDataBytes);
    const views = viewsOf(block, wanted);
    const bytesRead = wanted === 0 ? 0 : await this.#readInto(views);
    this.#at += bytesRead;
    const count = Math.ceil(bytesRead / maxStreamDataBytes);
    block.inUse = count;
    return block.buffers.slice(0, count).map((buffer, index) => ({
      buffer,
      dataBytes: Math.min(maxStreamDataBytes, bytesRead - index * maxStreamDataBytes),
      done: () => {
        if (--block.inUse > 0) return;
        this.#free.push(block);
        this.#freed.resolve(undefined);
      },
    }));
  }

  async #readInto(views: readonly Buffer[]): Promise<number> {
    const reading = this.#file.readv(views, this.#at);
    this.#reading = reading;
    return (await locally(`read ${this.#localPath}`, () => reading)).bytesRead;
  }

  async #takeBlock(): Promise<Block> {
    for (;;) {
      const block = this.#free.pop() ?? (this.#made < blocksInAll ? this.#newBlock() : undefined);
      if (block) return block;
      await this.#freed.promise;
      this.#freed = deferred();
    }
  }

  #newBlock(): Block {
    this.#made++;
    const memory = Buffer.allocUnsafeSlow(piecesPerBlock * pieceRoomBytes);
    const buffers = Array.from({ length: piecesPerBlock }, (_, index) =>
      memory.subarray(index * pieceRoomBytes, (index + 1) * pieceRoomBytes),
    );
    return { buffers, views: buffers.map((buffer) => buffer.subarray(streamDataHeadBytes)), inUse: 0 };
  }
}

/** Where so many bytes go. */
function viewsOf({ views }: Block, bytes: number): Buffer[] {
  const whole = Math.floor(bytes / maxStreamDataBytes);
  const rest = bytes - whole * maxStreamDataBytes;
  const last = views[whole];
  return [...views.slice(0, whole), ...(rest > 0 && last ? [last.subarray(0, rest)] : [])];
}
