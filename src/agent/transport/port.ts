import { type RawPort, portEvent } from "../../native/port.ts";

/** What a port tells the one who serves it. None of these may throw. */
export interface PortEvents {
  /** A host is there, or seems to be: a hint, not a promise. Always before the first data of that host. */
  attached(): void;
  /** The host went away. On the same port another may come. */
  away(): void;
  /** Where the next chunk is best read, `mostBytes` of it at the most; undefined when that does not matter. */
  room?(mostBytes: number): Buffer | undefined;
  /** True when a part of the chunk is kept; else its memory is used again. */
  data(chunk: Buffer): boolean;
  /** There may be room again after a write that was not taken whole. */
  writable(): void;
  /** The port is gone for good: unplugged, the connection ended, or an error. Comes once, and last. */
  closed(cause: PortClosed): void;
}

export type PortClosed = { reason: "unplugged" | "ended" } | { reason: "failed"; error: Error };

/** Makes the native port; tests put a fake in its place. */
export type OpenRawPort = (onEvents: (mask: number) => void) => RawPort;

/**
 * Bytes asked of the kernel at once: a frame with 64 KiB of a file, as known hosts send them, and its head. A virtio port
 * gives 4 KiB a system call, joined natively up to this.
 */
const readBytes = 68 * 1024;

/** Chunks below this are copied out: what is kept of them does not cost a new read buffer. */
const copyBelowBytes = 16 * 1024;

/** Chunks handled before timers and other work get their turn. */
const chunksPerTurn = 8;

/**
 * How long a host whose bytes have arrived may take to become writable. The kernel announces a connection
 * behind the first bytes of it, usually within a millisecond.
 */
const connectGraceMs = 1_000;

/**
 * A byte channel to a host that may come and go. On a virtio port, reading returns "end" for as long as no host
 * is attached and poll says readable and hung up; nothing here takes that for the end of the port, and as the
 * native side reports only edges, waiting for a host costs no wake-ups.
 */
export class Port {
  readonly kind: RawPort["kind"];
  readonly #raw: RawPort;
  readonly #events: PortEvents;
  /** "connecting": bytes of a host have come while the kernel still says that there is none. */
  #host: "away" | "connecting" | "attached" = "away";
  #paused = false;
  #closed = false;
  #buffer = Buffer.allocUnsafeSlow(readBytes);
  #nextTurn: NodeJS.Immediate | undefined;
  #grace: NodeJS.Timeout | undefined;

  /** Throws what opening throws. Events start in a later turn of the event loop. */
  constructor(open: OpenRawPort, events: PortEvents) {
    this.#events = events;
    this.#raw = open((mask) => {
      this.#onEdge(mask);
    });
    this.kind = this.#raw.kind;
    // A connection or a terminal is there as soon as it is open, and may have no edge to report.
    if (this.kind !== "virtio") {
      setImmediate(() => {
        if (!this.#closed) this.#setAttached();
      });
    }
  }

  /** Bytes taken now; when fewer than given, `writable` follows. Never blocks, and never throws: see `closed`. */
  write(buffers: readonly Uint8Array[]): number {
    if (this.#closed) return 0;
    try {
      return this.#raw.write(buffers);
    } catch (error) {
      // Reported from a turn of its own: the caller is in the middle of its queue.
      setImmediate(() => {
        this.#fail(error);
      });
      return 0;
    }
  }

  /** Resolves when the system has all that write() has taken, as it has on Linux at once, or at the deadline. */
  async flushed(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    while (!this.#closed && (this.#raw.unsent ?? 0) > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Stops reading; what the host sends waits in the kernel, and then in the host. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#readLater();
  }

  /** Idempotent. No event comes afterwards. */
  close(): void {
    this.#closed = true;
    clearImmediate(this.#nextTurn);
    clearTimeout(this.#grace);
    this.#raw.close();
  }

  #onEdge(mask: number): void {
    if (this.#closed) return;
    const hungUp = (mask & portEvent.hangup) !== 0;
    // An absent host leaves a virtio port readable; an unplugged port is hung up and not readable.
    if (this.kind === "virtio" && hungUp && (mask & portEvent.readable) === 0) {
      this.#read(hungUp);
      this.#end({ reason: "unplugged" });
      return;
    }
    if (this.kind !== "virtio" || (mask & portEvent.writable) !== 0) this.#setAttached();
    // What can still be read may be the next host's, whose bytes come before the kernel says that it is there.
    else if (hungUp && this.#host === "attached" && !this.#paused) this.#setAway();
    this.#read(hungUp);
    if ((mask & portEvent.writable) !== 0 && !this.#isClosed()) this.#events.writable();
  }

  /**
   * A chunk that does not fill the buffer was the last for now: the native side has read until there was nothing.
   * An end behind it has an edge of its own, unless it was part of this one. What a host that has gone left, at
   * most what the kernel holds, is read at once, so that the next host's bytes cannot come behind it.
   */
  #read(hungUp: boolean): void {
    this.#nextTurn = undefined;
    try {
      for (let turn = 0; hungUp || turn < chunksPerTurn; turn++) {
        if (this.#closed) return;
        if (this.#paused) {
          if (hungUp) this.#discard();
          return;
        }
        const room = this.#host === "away" ? undefined : this.#events.room?.(readBytes);
        const target = room ?? this.#buffer;
        const count = this.#raw.read(target);
        if (count === 0) return;
        if (count < 0) {
          this.#onEnd();
          return;
        }
        if (this.#host === "away") this.#setConnecting();
        if (room) this.#events.data(room.subarray(0, count));
        else this.#give(count);
        if (count < target.length && !hungUp) return;
      }
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#readLater();
  }

  #readLater(): void {
    this.#nextTurn ??= setImmediate(() => {
      this.#read(false);
    });
  }

  /** The host went while nothing was read from it: what it left must not reach the next one's session. */
  #discard(): void {
    try {
      let count: number;
      do count = this.#raw.read(this.#buffer);
      while (count > 0);
      if (count < 0) this.#onEnd();
    } catch (error) {
      this.#fail(error);
    }
  }

  #give(count: number): void {
    const chunk = this.#buffer.subarray(0, count);
    if (count < copyBelowBytes) this.#events.data(Buffer.from(chunk));
    else if (this.#events.data(chunk)) this.#buffer = Buffer.allocUnsafeSlow(readBytes);
  }

  #onEnd(): void {
    if (this.kind !== "virtio") this.#end({ reason: "ended" });
    else if (this.#host === "attached") this.#setAway();
  }

  #setAttached(): void {
    clearTimeout(this.#grace);
    const before = this.#host;
    this.#host = "attached";
    if (before === "away") this.#events.attached();
  }

  #setConnecting(): void {
    this.#host = "connecting";
    this.#grace = setTimeout(() => {
      this.#setAway();
    }, connectGraceMs);
    this.#events.attached();
  }

  #setAway(): void {
    this.#host = "away";
    this.#paused = false;
    this.#events.away();
  }

  /** A terminal whose other end is closed reads EIO, a socket that was cut ECONNRESET: an end like any other. */
  #fail(error: unknown): void {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "ENODEV") this.#end({ reason: "unplugged" });
    else if (["EIO", "ECONNRESET", "EPIPE"].includes(code)) this.#end({ reason: "ended" });
    else this.#end({ reason: "failed", error: error as Error });
  }

  #end(cause: PortClosed): void {
    if (this.#closed) return;
    this.close();
    if (this.#host !== "away") this.#setAway();
    this.#events.closed(cause);
  }

  #isClosed(): boolean {
    return this.#closed;
  }
}
