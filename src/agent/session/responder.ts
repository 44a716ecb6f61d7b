import { type Envelope, encodeFrame } from "../../wire/envelope.ts";
import type { Framing } from "../../wire/frame.ts";
import { maxStreamDataBytes, streamDataHeadBytes } from "../../wire/stream-frame.ts";
import { Fifo } from "./fifo.ts";
import { FrameMemory } from "./frame-memory.ts";

/** control: pong, hello, errors. reply: other responses. telemetry: only the newest. */
export type Lane = "control" | "reply" | "telemetry";

/** Where bulk data comes from: made only when there is room for it, so the pull is the backpressure. */
export interface FrameSource {
  /**
   * The next frame, of 64 KiB of data at most, or a few in a row, of 256 KiB; undefined when there is none now: ready()
   * again when there is. It may be made in `scratch`, which has room for a frame and its head, and then is not to be
   * touched any more.
   */
  nextFrame(framing: Framing, scratch: Buffer): Buffer | undefined;
  /** Nobody needs the memory any more of what nextFrame() gave and is not in its scratch. */
  taken?(frame: Buffer): void;
}

/**
 * Bytes offered to the port at once. What the port has taken cannot be overtaken, so this is how far a ping can
 * stand behind bulk data in our own hands.
 */
const batchBytes = 64 * 1024;

/** Batches in a row before requests, timers and other I/O get their turn. */
const batchesPerTurn = 4;

/** Frames that are smaller are copied out of the scratch, so that few of those are needed. */
const copyBelowBytes = 16 * 1024;

/** With more than this waiting for a host that does not read, no more is read from it. */
export const congestedBytes = 4 * 1024 * 1024;

/** Where bytes go; takes what it can now and says how many. */
export type Sink = (buffers: readonly Uint8Array[]) => number;

/**
 * The frames that wait for the port, a queue per lane, and the sources of bulk data, which take turns when no lane has
 * a frame. Small frames overtake bulk data, but never inside a frame: one that has been begun is finished, unless
 * the host it was for has gone.
 */
export class Responder {
  /** How the next frames are framed: as the last good frame of the host was. */
  framing: Framing;
  readonly #sink: Sink;
  readonly #onRelief: () => void;
  readonly #lanes = { control: new Fifo<Buffer>(), reply: new Fifo<Buffer>() };
  /** Those that may have a frame, in the order of their turns. */
  readonly #sources = new Set<FrameSource>();
  /** When each waiting answer was queued, in milliseconds of performance.now(). */
  readonly #queuedAt = new WeakMap<Buffer, number>();
  /** What answers with a piece of a file are made in. */
  readonly #memory = new FrameMemory();
  #telemetry: Buffer | undefined;
  /** Memory for bulk frames, used again and again: garbage of this size comes faster than it is collected. */
  #scratch: Buffer[] = [];
  /** What the batch's frames are made in. */
  #scratchInUse: Buffer[] = [];
  /** Offered to the port and not taken whole. */
  #batch: Buffer[] = [];
  /** Who wants to know when a frame has been taken: one of the batch, or an answer anywhere. */
  readonly #givers = new Map<Buffer, Pick<FrameSource, "taken">>();
  /** Bytes of the batch's first frame that the port has taken. */
  #takenOfFirst = 0;
  #waitingBytes = 0;
  #congested = false;
  #blocked = false;
  #pumpScheduled = false;
  #pumpWaits = false;

  /** `onRelief` is called when a congested queue has become half empty. */
  constructor(framing: Framing, sink: Sink, onRelief: () => void) {
    this.framing = framing;
    this.#sink = sink;
    this.#onRelief = onRelief;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get congested(): boolean {
    return this.#congested;
  }

  /**
   * Queues a message. Throws RangeError when it is larger than a frame, and then nothing is queued. `taken` is called when
   * the port has it whole, or it is dropped; not for telemetry.
   */
  send(lane: Lane, envelope: Envelope, kind: "answer" | "event" = "answer", taken?: () => void): void {
    const frame = encodeFrame(this.framing, envelope, this.#memory.lend);
    if (taken) this.#givers.set(frame, { taken });
    if (lane === "telemetry") {
      if (this.#telemetry) this.#waitingBytes -= this.#telemetry.length;
      this.#telemetry = frame;
    } else {
      this.#lanes[lane].push(frame);
      if (kind === "answer") this.#queuedAt.set(frame, performance.now());
    }
    this.#waitingBytes += frame.length;
    this.#congested ||= this.#waitingBytes > congestedBytes;
    if (lane !== "reply") this.#schedulePump();
    // The first answer of a turn of the event loop leaves at once, and the others, as of many commands, in one write.
    else if (!this.#pumpWaits) {
      this.#schedulePump();
      this.#pumpLater();
    }
  }

  /** `source` has frames. */
  ready(source: FrameSource): void {
    this.#sources.add(source);
    this.#schedulePump();
  }

  /** No more is taken from `source`. */
  remove(source: FrameSource): void {
    this.#sources.delete(source);
  }

  /** To be called when the port may take bytes again. */
  writable(): void {
    this.#blocked = false;
    this.#pump();
  }

  /** Answers that were queued at `since` or later and not begun, for the session that comes after this one. */
  answersSince(since: number): Buffer[] {
    const begun = this.#takenOfFirst > 0 ? 1 : 0;
    const waiting = [...this.#batch.slice(begun), ...this.#lanes.control, ...this.#lanes.reply];
    return waiting.filter((frame) => (this.#queuedAt.get(frame) ?? 0) >= since);
  }

  /** Queues frames of an earlier session. */
  adopt(frames: readonly Buffer[]): void {
    for (const frame of frames) {
      this.#lanes.control.push(frame);
      this.#waitingBytes += frame.length;
    }
    this.#schedulePump();
  }

  /** Drops all that waits. A frame that the wire has begun is finished only if `finishFrame`. */
  clear({ finishFrame }: { finishFrame: boolean }): void {
    const begun = finishFrame && this.#takenOfFirst > 0 ? this.#batch.slice(0, 1) : [];
    this.#lanes.control.clear();
    this.#lanes.reply.clear();
    this.#sources.clear();
    this.#telemetry = undefined;
    this.#batch = begun;
    this.#tellTaken([...this.#givers.keys()].filter((frame) => !begun.includes(frame)));
    if (begun.length === 0) this.#takenOfFirst = 0;
    this.#waitingBytes = begun.reduce((bytes, frame) => bytes + frame.length, -this.#takenOfFirst);
    this.#relieve();
  }

  /** Sends when the work at hand is done. */
  #schedulePump(): void {
    if (this.#pumpScheduled || this.#blocked) return;
    this.#pumpScheduled = true;
    process.nextTick(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    for (let batches = 0; !this.#blocked && (this.#waitingBytes > 0 || this.#sources.size > 0); batches++) {
      if (batches === batchesPerTurn) {
        this.#pumpLater();
        return;
      }
      if (this.#batch.length === 0) this.#batch = this.#nextBatch();
      if (this.#batch.length === 0) return; // sources that had nothing
      const taken = this.#sink(this.#offer());
      this.#waitingBytes -= taken;
      this.#advance(taken);
      this.#blocked = this.#batch.length > 0;
      this.#relieve();
    }
  }

  /** Sends when all that has come has been looked at. */
  #pumpLater(): void {
    if (this.#pumpWaits || this.#blocked) return;
    this.#pumpWaits = true;
    setImmediate(() => {
      this.#pumpWaits = false;
      this.#pump();
    });
  }

  /** The batch without what the port has of its first frame. */
  #offer(): readonly Buffer[] {
    const [first, ...others] = this.#batch;
    return first && this.#takenOfFirst > 0 ? [first.subarray(this.#takenOfFirst), ...others] : this.#batch;
  }

  #advance(takenBytes: number): void {
    let left = this.#takenOfFirst + takenBytes;
    let done = 0;
    for (let frame = this.#batch[0]; frame && left >= frame.length; frame = this.#batch[done]) {
      left -= frame.length;
      done++;
    }
    const taken = this.#batch.splice(0, done);
    this.#tellTaken(taken);
    for (const frame of taken) this.#memory.giveBack(frame);
    this.#takenOfFirst = left;
  }

  #tellTaken(frames: readonly Buffer[]): void {
    for (const frame of frames) {
      const giver = this.#givers.get(frame);
      this.#givers.delete(frame);
      giver?.taken?.(frame);
    }
  }

  #nextBatch(): Buffer[] {
    const batch: Buffer[] = [];
    this.#scratch.push(...this.#scratchInUse);
    this.#scratchInUse = [];
    for (let bytes = 0; bytes < batchBytes;) {
      const frame = this.#nextFrame();
      if (frame === undefined) break;
      batch.push(frame);
      bytes += frame.length;
    }
    return batch;
  }

  /** Telemetry goes before bulk: it is one small frame in seconds, and its absence looks like a dead agent. */
  #nextFrame(): Buffer | undefined {
    const urgent = this.#lanes.control.shift() ?? this.#lanes.reply.shift();
    if (urgent !== undefined) return urgent;
    const telemetry = this.#telemetry;
    this.#telemetry = undefined;
    return telemetry ?? this.#nextBulkFrame();
  }

  /** A frame of the source whose turn it is. It has its next turn behind the others. */
  #nextBulkFrame(): Buffer | undefined {
    for (const source of this.#sources) {
      this.#sources.delete(source);
      const frame = this.#frameOf(source);
      if (frame === undefined) continue;
      this.#sources.add(source);
      this.#waitingBytes += frame.length;
      return frame;
    }
    return undefined;
  }

  #frameOf(source: FrameSource): Buffer | undefined {
    const scratch = this.#scratch.pop() ?? Buffer.allocUnsafeSlow(streamDataHeadBytes + maxStreamDataBytes);
    const frame = source.nextFrame(this.framing, scratch);
    if (frame?.buffer !== scratch.buffer) {
      this.#scratch.push(scratch);
      if (frame && source.taken) this.#givers.set(frame, source);
      return frame;
    }
    if (frame.length < copyBelowBytes) {
      this.#scratch.push(scratch);
      return Buffer.from(frame);
    }
    this.#scratchInUse.push(scratch);
    return frame;
  }

  #relieve(): void {
    if (!this.#congested || this.#waitingBytes > congestedBytes / 2) return;
    this.#congested = false;
    this.#onRelief();
  }
}
