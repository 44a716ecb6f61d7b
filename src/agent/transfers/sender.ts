import { type Envelope, encodeFrame } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Framing } from "../../wire/frame.ts";
import { maxStreamDataBytes } from "../../wire/stream-frame.ts";
import { fileError } from "../files/file-error.ts";
import type { Stream, Streams } from "../session/streams.ts";
import { FrameRun, mostFramesInRun } from "./frame-run.ts";

type Ended = NonNullable<Envelope["transferEnded"]>;

/** Where the bytes of a stream come from. */
export interface ByteSource {
  /** What is being done, for errors: "read /x". */
  readonly doing: string;
  /** Bytes that are expected: so much memory is taken at first. */
  readonly expectedBytes: number;
  /** Fills `targets` one after the other, as far as there are bytes; 0 at the end. One call at a time. Has a deadline. */
  read(targets: readonly Buffer[]): Promise<number>;
  /** As read(), at once: what takes no waiting; 0 for nothing, be it for want of memory or at the end. Not during a read. */
  readNow?(targets: readonly Buffer[]): number;
  /** What the host is told when it has all; rejects when it must not trust it. Has a deadline. */
  finish(): Promise<Ended>;
  /** At any time. Idempotent. */
  close(): void;
}

/** Memory of one transfer, 1 MiB: a half of it is read into while the other is sent. */
const mostRuns = 4;

/** So many are read at a time: less costs more than it brings. */
const runsAtOnce = mostRuns / 2;

/** After a source had nothing without waiting, it is read ahead so many times before it is tried again. */
const readsBeforeRetry = 16;

/** Sends what a source has as channel 1 of a stream, no more than the host has room for, and then transfer_ended. */
export class Sender implements Stream {
  readonly id: string;
  readonly #streams: Streams;
  readonly #source: ByteSource;
  readonly #onEnd: () => void;
  readonly #leaveSession: () => void;
  #credit: number;
  /** Read, and not sent whole. */
  #full: FrameRun[] = [];
  /** Sent, and not taken whole by the port. */
  readonly #leaving = new Set<FrameRun>();
  #free: FrameRun[] = [];
  #reading = false;
  /** So often the source is read ahead before it is asked for what it has without waiting: 0 while it has. */
  #readsAhead = 1;
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

  nextFrame(framing: Framing, scratch: Buffer): Buffer | undefined {
    if (this.#closed) return undefined;
    if (this.#full.length === 0) this.#readNow();
    const [run] = this.#full;
    if (run === undefined) return this.#ended && this.#lastFrame(framing, this.#ended);
    if (this.#credit === 0) return undefined;
    const { frames, used } = run.next(framing, this.#credit, scratch);
    this.#credit -= used;
    this.#sentBytes += used;
    if (run.isSent) {
      this.#full.shift();
      this.#leaving.add(run);
      this.#release(run);
    }
    return frames;
  }

  taken(frame: Buffer): void {
    for (const run of [...this.#full, ...this.#leaving]) {
      if (!run.owns(frame)) continue;
      run.taken();
      this.#release(run);
    }
  }

  #release(run: FrameRun): void {
    if (!run.isFree || !this.#leaving.delete(run)) return;
    this.#free.push(run);
    this.#readAhead();
  }

  #lastFrame(framing: Framing, ended: Ended): Buffer {
    const { id } = this;
    const transferEnded = { ...ended, streamId: id, bytes: this.#sentBytes };
    this.#close();
    return encodeFrame(framing, { messageId: id, transferEnded });
  }

  #readAhead(): void {
    if (this.#reading || this.#closed || this.#ended || this.#readsAhead === 0) return;
    const free = mostRuns - this.#full.length - this.#leaving.size;
    if (free < runsAtOnce) return;
    this.#reading = true;
    void this.#read().finally(() => {
      this.#reading = false;
      this.#readAhead();
    });
  }

  /** One run's worth into memory that was used a moment ago, if that takes no waiting. */
  #readNow(): void {
    if (this.#reading || this.#ended || this.#readsAhead > 0) return;
    const runs = this.#takeRuns(1);
    const count = this.#source.readNow?.(runs.flatMap(({ targets }) => targets)) ?? 0;
    if (count === 0) this.#readsAhead = readsBeforeRetry;
    this.#fill(runs, count);
    this.#readAhead();
  }

  async #read(): Promise<void> {
    const runs = this.#takeRuns(runsAtOnce);
    try {
      const count = await this.#source.read(runs.flatMap(({ targets }) => targets));
      if (this.#ended || this.#closed) return;
      if (this.#source.readNow) this.#readsAhead--;
      this.#fill(runs, count);
      if (count === 0) this.#end(await this.#source.finish());
      else this.#streams.ready(this);
    } catch (error) {
      this.fail(fileError(error, this.#source.doing));
    }
  }

  /** A short file has less memory. */
  #takeRuns(most: number): FrameRun[] {
    const head = { streamId: this.id, channel: 1, end: false };
    const frames = Math.floor(this.#source.expectedBytes / maxStreamDataBytes) + 1;
    const count = frames <= mostFramesInRun ? 1 : most;
    while (this.#free.length < count) {
      this.#free.push(new FrameRun(this.#streams.framing, head, Math.min(frames, mostFramesInRun)));
    }
    return this.#free.splice(-count);
  }

  #fill(runs: readonly FrameRun[], count: number): void {
    let left = count;
    for (const run of runs) {
      const bytes = Math.min(left, run.targets.length * maxStreamDataBytes);
      left -= bytes;
      run.fill(bytes);
      (bytes > 0 ? this.#full : this.#free).push(run);
    }
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
