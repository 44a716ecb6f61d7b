import { Arrival } from "./arrival.ts";
import { type Framing, maxFrameBytes, readFrameHeader } from "./frame.ts";
import { nextFrameStart, startsLikeEnvelope } from "./resync.ts";

/** What a host may send nothing of for this long in the middle of a frame: `frame_timeout_secs`, 5. */
export const defaultFrameTimeoutMs = 5_000;

/**
 * The slowest a frame may come in, in bytes per millisecond (64 KiB/s). Without it, a dead host's half frame
 * that a new host's small messages go on filling would never be found out.
 */
const slowestBytesPerMs = (64 * 1024) / 1000;

/**
 * Failed decoding costs at most this many bytes before everything buffered is given up, so that bytes made to
 * look like one frame inside another cannot keep the decoder busy.
 */
const maxFailedBytes = 4 * maxFrameBytes;

/** Less than this is copied as fast as it is read. */
const worthwhileBytes = 16 * 1024;

export interface FrameDecoderOptions<T> {
  /** Turns a body into a message; undefined when it is none. It may share the body's memory. */
  decode(body: Buffer): T | undefined;
  /** "done": nobody has kept a part of the body, whose memory is used again. */
  onMessage(message: T, framing: Framing, body: Buffer): "done" | undefined;
  /** Bytes were skipped to find the next frame. Called once per run of garbage, when it has ended. */
  onGarbage(skippedBytes: number): void;
  frameTimeoutMs?: number;
}

/**
 * Turns a stream of bytes into messages. The stream may start or stop anywhere and hold anything: a frame that
 * does not decode, or stops coming, is given up and its bytes are searched for the next good one.
 *
 * Memory: what has arrived of one frame, at most 16 MiB and the last chunk. A length is checked before it is
 * believed, and nothing is allocated for bytes that have not come.
 */
export class FrameDecoder<T> {
  readonly #options: FrameDecoderOptions<T>;
  readonly #frameTimeoutMs: number;
  #arrived = new Arrival();
  /** A body of the bytes that are being parsed is kept by its receiver. */
  #isKept = false;
  /** Bytes that must be there before parsing makes sense. */
  #need = 1;
  /** False from the first byte skipped until the next good frame. */
  #inStep = true;
  #skippedBytes = 0;
  #failedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #held = false;
  #frameSince = 0;
  #progressAt = 0;

  constructor(options: FrameDecoderOptions<T>) {
    this.#options = options;
    this.#frameTimeoutMs = options.frameTimeoutMs ?? defaultFrameTimeoutMs;
  }

  /** Bytes of a frame that is not complete yet. */
  get bufferedBytes(): number {
    return this.#arrived.length;
  }

  /**
   * Where the rest of the frame that is coming is best read, `mostBytes` of it at the most, to be given to push() next;
   * undefined when a chunk of one's own is as good.
   */
  room(mostBytes: number): Buffer | undefined {
    const missing = this.#need - this.#arrived.length;
    if (this.#arrived.length === 0 || missing < worthwhileBytes) return undefined;
    return this.#arrived.room(Math.min(missing, mostBytes));
  }

  /**
   * Takes a chunk and gives the messages that it completes. True when a receiver keeps a part of it: it must not be
   * changed afterwards.
   */
  push(chunk: Buffer): boolean {
    if (chunk.length === 0) return false;
    const isFirst = this.#arrived.length === 0;
    if (isFirst) this.#parseChunk(chunk);
    else {
      this.#arrived.append(chunk);
      if (this.#arrived.length >= this.#need) this.#parseArrived("more may come");
    }
    this.#watchProgress();
    return isFirst && this.#isKept;
  }

  /** Forgets what was begun: the stream starts anew, at a frame boundary. */
  reset(): void {
    this.#skip(this.#arrived.length);
    this.#arrived = new Arrival();
    this.#need = 1;
    this.#reportGarbage();
    this.#inStep = true;
    this.#failedBytes = 0;
    this.#watchProgress();
  }

  /** Gives up the frame begun, and finds the good ones among the bytes that were taken for its body. */
  expire(): void {
    this.#parseArrived("nothing more will come");
    this.#reportGarbage();
    this.#watchProgress();
  }

  /** Nothing is read for now, for a reason of our own: time that passes says nothing about the host. */
  holdDeadline(): void {
    this.#held = true;
    this.#watchProgress();
  }

  /** Reading goes on. The frame begun has its whole time again. */
  resumeDeadline(): void {
    this.#held = false;
    this.#frameSince = 0;
    this.#watchProgress();
  }

  #parseChunk(chunk: Buffer): void {
    const arrived = this.#arrived;
    const parsed = this.#parse(chunk, "more may come");
    if (this.#arrived === arrived) arrived.append(chunk.subarray(parsed)); // else the receiver called reset()
  }

  #parseArrived(outlook: "more may come" | "nothing more will come"): void {
    const arrived = this.#arrived;
    const parsed = this.#parse(arrived.bytes, outlook);
    if (this.#arrived === arrived) arrived.consume(parsed, this.#isKept);
  }

  /** Gives the messages in `bytes`; gives how many bytes are done with. */
  #parse(bytes: Buffer, outlook: "more may come" | "nothing more will come"): number {
    const arrived = this.#arrived;
    this.#isKept = false;
    let at = 0;
    this.#need = 1;
    while (at < bytes.length) {
      if (!this.#inStep) {
        const start = nextFrameStart(bytes, at);
        this.#skip(start - at);
        at = start;
      }
      const header = readFrameHeader(bytes, at);
      const incomplete =
        header === "short" ||
        (header !== "invalid" && at + header.headerBytes + header.bodyBytes > bytes.length);
      const impossible =
        header === "invalid" ||
        (header !== "short" &&
          !startsLikeEnvelope(bytes, at + header.headerBytes, header.bodyBytes, !this.#inStep));
      if (!impossible && incomplete && outlook === "more may come") {
        if (header !== "short") this.#need = header.headerBytes + header.bodyBytes;
        break;
      }
      if (impossible || header === "short" || incomplete) {
        if (at < bytes.length) at += this.#skip(1);
        continue;
      }
      const end = at + header.headerBytes + header.bodyBytes;
      const body = bytes.subarray(at + header.headerBytes, end);
      const message = this.#options.decode(body);
      if (message === undefined) {
        this.#failedBytes += body.length;
        const tooCostly = this.#failedBytes > maxFailedBytes;
        at += this.#skip(tooCostly ? bytes.length - at : 1);
        if (tooCostly) this.#failedBytes = 0;
        continue;
      }
      at = end;
      this.#inStep = true;
      this.#failedBytes = 0;
      this.#reportGarbage();
      if (this.#options.onMessage(message, header.framing, body) !== "done") this.#isKept = true;
      if (this.#arrived !== arrived) return at; // the receiver called reset()
    }
    this.#frameSince = 0;
    return at;
  }

  #skip(count: number): number {
    if (count > 0) {
      this.#inStep = false;
      this.#skippedBytes += count;
    }
    return count;
  }

  #reportGarbage(): void {
    if (this.#skippedBytes === 0) return;
    const skipped = this.#skippedBytes;
    this.#skippedBytes = 0;
    this.#options.onGarbage(skipped);
  }

  /** One timer while a frame is incomplete, none otherwise; it is not set anew for each chunk. */
  #watchProgress(): void {
    if (this.#held || (this.#arrived.length === 0 && this.#skippedBytes === 0)) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#progressAt = performance.now();
    if (this.#frameSince === 0) this.#frameSince = this.#progressAt;
    this.#timer ??= this.#wakeIn(this.#frameTimeoutMs);
  }

  #wakeIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      // After a pause of the whole machine, what has come meanwhile is read before the deadline is judged.
      setImmediate(() => {
        this.#timer = undefined;
        if (!this.#held) this.#judge();
      });
    }, ms).unref();
  }

  #judge(): void {
    this.#reportGarbage();
    if (this.#arrived.length === 0) return;
    const silentUntil = this.#progressAt + this.#frameTimeoutMs;
    const slowUntil = this.#frameSince + this.#frameTimeoutMs + this.#need / slowestBytesPerMs;
    const left = Math.min(silentUntil, slowUntil) - performance.now();
    if (left > 1) this.#timer ??= this.#wakeIn(left);
    else this.expire();
  }
}
