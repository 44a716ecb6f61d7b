import { type Envelope, encodeFrame } from "../../wire/envelope.ts";
import type { Framing } from "../../wire/frame.ts";
import { Fifo } from "./fifo.ts";

/** control: pong, hello, errors. reply: other responses. bulk: streams of data. telemetry: only the newest. */
export type Lane = "control" | "reply" | "bulk" | "telemetry";

/**
 * Bytes offered to the port at once. What the port has taken cannot be overtaken, so this is how far a ping can
 * stand behind bulk data in our own hands.
 */
const batchBytes = 64 * 1024;

/** With more than this waiting for a host that does not read, no more is read from it. */
export const congestedBytes = 4 * 1024 * 1024;

/** Where bytes go; takes what it can now and says how many. */
export type Sink = (buffers: readonly Uint8Array[]) => number;

/**
 * The frames that wait for the port, a queue per lane. Small ones of the control lane overtake bulk data, but
 * never inside a frame: one that has been begun is finished, unless the host it was for has gone.
 */
export class Responder {
  /** How the next frames are framed: as the last good frame of the host was. */
  framing: Framing;
  readonly #sink: Sink;
  readonly #onRelief: () => void;
  readonly #lanes = { control: new Fifo<Buffer>(), reply: new Fifo<Buffer>(), bulk: new Fifo<Buffer>() };
  /** When each waiting answer was queued, in milliseconds of performance.now(). */
  readonly #queuedAt = new WeakMap<Buffer, number>();
  #telemetry: Buffer | undefined;
  /** Offered to the port and not taken whole. */
  #batch: Buffer[] = [];
  /** Bytes of the batch's first frame that the port has taken. */
  #takenOfFirst = 0;
  #waitingBytes = 0;
  #congested = false;
  #blocked = false;
  #pumpScheduled = false;

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

  /** Queues a message. Throws RangeError when it is larger than a frame, and then nothing is queued. */
  send(lane: Lane, envelope: Envelope, kind: "answer" | "event" = "answer"): void {
    const frame = encodeFrame(this.framing, envelope);
    if (lane === "telemetry") {
      if (this.#telemetry) this.#waitingBytes -= this.#telemetry.length;
      this.#telemetry = frame;
    } else {
      this.#lanes[lane].push(frame);
      if (kind === "answer") this.#queuedAt.set(frame, performance.now());
    }
    this.#waitingBytes += frame.length;
    this.#congested ||= this.#waitingBytes > congestedBytes;
    this.#schedulePump();
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
    this.#lanes.bulk.clear();
    this.#telemetry = undefined;
    this.#batch = begun;
    if (begun.length === 0) this.#takenOfFirst = 0;
    this.#waitingBytes = begun.reduce((bytes, frame) => bytes + frame.length, -this.#takenOfFirst);
    this.#relieve();
  }

  /** Sends at the end of the turn, so that replies that become ready together leave in one write. */
  #schedulePump(): void {
    if (this.#pumpScheduled || this.#blocked) return;
    this.#pumpScheduled = true;
    process.nextTick(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#blocked && this.#waitingBytes > 0) {
      if (this.#batch.length === 0) this.#batch = this.#nextBatch();
      const taken = this.#sink(this.#offer());
      this.#waitingBytes -= taken;
      this.#advance(taken);
      this.#blocked = this.#batch.length > 0;
      this.#relieve();
    }
  }

  /** The batch without what the port has of its first frame. */
  #offer(): readonly Buffer[] {
    const [first, ...others] = this.#batch;
    return first && this.#takenOfFirst > 0 ? [first.subarray(this.#takenOfFirst), ...others] : this.#batch;
  }

  #advance(taken: number): void {
    let left = this.#takenOfFirst + taken;
    let done = 0;
    for (let frame = this.#batch[0]; frame && left >= frame.length; frame = this.#batch[done]) {
      left -= frame.length;
      done++;
    }
    this.#batch = this.#batch.slice(done);
    this.#takenOfFirst = left;
  }

  #nextBatch(): Buffer[] {
    const batch: Buffer[] = [];
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
    return telemetry ?? this.#lanes.bulk.shift();
  }

  #relieve(): void {
    if (!this.#congested || this.#waitingBytes > congestedBytes / 2) return;
    this.#congested = false;
    this.#onRelief();
  }
}
