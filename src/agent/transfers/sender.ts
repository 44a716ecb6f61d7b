import { type Envelope, encodeFrame } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Framing } from "../../wire/frame.ts";
import { frameStreamData, maxStreamDataBytes, streamDataHeadBytes } from "../../wire/stream-frame.ts";
import { fileError } from "../files/file-error.ts";
import { type Scratch, scratchBytes } from "../session/responder.ts";
import type { Stream, Streams } from "../session/streams.ts";

type Ended = NonNullable<Envelope["transferEnded"]>;

/** Where the bytes of a stream come from. */
export interface ByteSource {
  /** What is being done, for errors: "read /x". */
  readonly doing: string;
  /** Bytes that are expected: so much memory is taken at first. */
  readonly expectedBytes: number;
  /** Fills `targets` one after the other, as far as there are bytes; 0 at the end. One call at a time. Has a deadline. */
  read(targets: readonly Buffer[]): Promise<number>;
  /** What the host is told when it has all; rejects when it must not trust it. Has a deadline. */
  finish(): Promise<Ended>;
  /** At any time. Idempotent. */
  close(): void;
}

/** Memory of one transfer: a half of it is read into while the other is sent. */
const mostBlocks = 16;

/** Reads of less than this cost more than they bring. */
const leastBlocks = mostBlocks / 2;

/** A part of the stream, in memory where its frame can be made around it. */
interface Block {
  buffer: Buffer;
  bytes: number;
  sentBytes: number;
}

/** Sends what a source has as channel 1 of a stream, no more than the host has room for, and then transfer_ended. */
export class Sender implements Stream {
  readonly id: string;
  readonly #streams: Streams;
  readonly #source: ByteSource;
  readonly #onEnd: () => void;
  readonly #leaveSession: () => void;
  #credit: number;
  #full: Block[] = [];
  #free: Buffer[] = [];
  #madeBlocks = 0;
  #reading = false;
  #sentBytes = 0;
  /** There is no more to read; what is told last. */
  #ended: Ended | undefined;
  #closed = false;

  /**
   * Takes over `source`. A cancel for `messageId` ends the transfer; `onEnd` is told when it is over, however that came.
   */
  constructor(
    streams: Streams,
    messageId: string,
    windowBytes: number,
    source: ByteSource,
    { id, onEnd }: { id: string; onEnd: () => void },
  ) {
    this.id = id;
    this.#streams = streams;
    this.#credit = windowBytes;
    this.#source = source;
    this.#onEnd = onEnd;
    this.#leaveSession = streams.open(id, this, {
      messageId,
      cancelled: () => {
        this.fail(new CodedError("cancelled", "the host gave the transfer up"));
      },
      ended: () => {
        this.#close();
      },
    });
    if (streams.signal.aborted) this.#close();
  }

  /** To be called when the host knows of the stream. */
  start(): void {
    this.#readAhead();
  }

  /** Ends it: what has been read is not sent any more. */
  fail(error: CodedError): void {
    this.#full = [];
    this.#end({ error: error.wireText });
  }

  data(): void {
    // A host that sends on a download is not listened to.
  }

  credit(channel: number, bytes: number): void {
    if (channel !== 1 || this.#closed) return;
    this.#credit = Math.min(this.#credit + bytes, Number.MAX_SAFE_INTEGER);
    this.#streams.ready(this);
  }

  nextFrame(framing: Framing, scratch: Scratch): Buffer | undefined {
    if (this.#closed) return undefined;
    const [block] = this.#full;
    if (block === undefined) return this.#ended && this.#lastFrame(framing, this.#ended);
    const count = Math.min(this.#credit, block.bytes - block.sentBytes);
    if (count === 0) return undefined;
    this.#credit -= count;
    this.#sentBytes += count;
    if (count === block.bytes) return this.#wholeFrame(framing, block, scratch);
    const start = streamDataHeadBytes + block.sentBytes;
    block.buffer.copy(scratch.buffer, streamDataHeadBytes, start, start + count);
    block.sentBytes += count;
    if (block.sentBytes === block.bytes) this.#release(block.buffer);
    return frameStreamData(framing, this.#head, scratch.buffer, count);
  }

  get #head() {
    return { streamId: this.id, channel: 1, end: false };
  }

  #wholeFrame(framing: Framing, { buffer, bytes }: Block, scratch: Scratch): Buffer {
    const free = scratch.buffer;
    scratch.buffer = buffer;
    this.#release(free);
    return frameStreamData(framing, this.#head, buffer, bytes);
  }

  /** The first block is through. */
  #release(memory: Buffer): void {
    this.#full.shift();
    this.#free.push(memory);
    this.#readAhead();
  }

  #lastFrame(framing: Framing, ended: Ended): Buffer {
    const { id } = this;
    const transferEnded = { ...ended, streamId: id, bytes: this.#sentBytes };
    this.#close();
    return encodeFrame(framing, { messageId: id, transferEnded });
  }

  #readAhead(): void {
    if (this.#reading || this.#closed || this.#ended) return;
    const free = mostBlocks - this.#full.length;
    if (free < leastBlocks) return;
    const expected = Math.floor(this.#source.expectedBytes / maxStreamDataBytes) + 1;
    this.#reading = true;
    void this.#read(Math.min(free, expected, leastBlocks)).finally(() => {
      this.#reading = false;
      this.#readAhead();
    });
  }

  async #read(blocks: number): Promise<void> {
    while (this.#free.length < blocks && this.#madeBlocks < mostBlocks) {
      this.#free.push(Buffer.allocUnsafeSlow(scratchBytes));
      this.#madeBlocks++;
    }
    const buffers = this.#free.splice(-blocks);
    try {
      const count = await this.#source.read(buffers.map((buffer) => buffer.subarray(streamDataHeadBytes)));
      if (this.#ended || this.#closed) return;
      if (count === 0) this.#end(await this.#source.finish());
      else this.#push(buffers, count);
    } catch (error) {
      this.fail(fileError(error, this.#source.doing));
    }
  }

  #push(buffers: readonly Buffer[], count: number): void {
    let left = count;
    for (const buffer of buffers) {
      const bytes = Math.min(left, maxStreamDataBytes);
      left -= bytes;
      if (bytes > 0) this.#full.push({ buffer, bytes, sentBytes: 0 });
      else this.#free.push(buffer);
    }
    this.#streams.ready(this);
  }

  #end(ended: Ended): void {
    if (this.#ended || this.#closed) return;
    this.#ended = ended;
    this.#streams.ready(this);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#full = [];
    this.#free = [];
    this.#leaveSession();
    this.#source.close();
    this.#onEnd();
  }
}
