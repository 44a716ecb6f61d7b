import { type RawPort, portEvent } from "../../src/native/port.ts";

/** What a virtio port has room for, in descriptors; each write takes one, of at most 32 KiB. */
const descriptors = 135;
const writeBytes = 32 * 1024;

/**
 * A virtio port as the kernel's driver behaves, with the host's end to play with: reading says "end" while no
 * host is attached, writes are refused then, edges that come together are reported as one, and the bytes of a
 * host that has just connected may be there before the connection is.
 */
export class FakeVirtioPort implements RawPort {
  readonly kind = "virtio";
  #onEvents: (mask: number) => void;
  #connected = false;
  #plugged = true;
  #closed = false;
  #toGuest: Buffer[] = [];
  #toHost: Buffer[] = [];
  #edge: NodeJS.Immediate | undefined;
  /** Edges reported: what a wake-up would have been. */
  wakeUps = 0;

  constructor(onEvents: (mask: number) => void) {
    this.#onEvents = onEvents;
    this.#report();
  }

  read(buffer: Uint8Array): number {
    let filled = 0;
    for (let chunk = this.#toGuest[0]; chunk && filled < buffer.length; chunk = this.#toGuest[0]) {
      const count = Math.min(chunk.length, buffer.length - filled);
      buffer.set(chunk.subarray(0, count), filled);
      filled += count;
      if (count === chunk.length) this.#toGuest.shift();
      else this.#toGuest[0] = chunk.subarray(count);
    }
    if (filled > 0) return filled;
    if (this.#connected) return 0;
    if (!this.#plugged) throw Object.assign(new Error("ENODEV: no such device, read"), { code: "ENODEV" });
    return -1;
  }

  write(buffers: readonly Uint8Array[]): number {
    const all = Buffer.concat(buffers);
    let taken = 0;
    while (this.#connected && taken < all.length && this.#toHost.length < descriptors) {
      this.#toHost.push(all.subarray(taken, taken + writeBytes));
      taken = Math.min(taken + writeBytes, all.length);
    }
    return taken;
  }

  close(): void {
    this.#closed = true;
    clearImmediate(this.#edge);
  }

  // The host's end.

  connect(): void {
    this.#connected = true;
    this.#report();
  }

  /** What the guest has written and the host has not read is gone. */
  disconnect(): void {
    this.#connected = false;
    this.#toHost = [];
    this.#report();
  }

  /** Bytes of the host; also before connect(), as the kernel has it when both come together. */
  send(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 4096)
      this.#toGuest.push(Buffer.from(bytes.subarray(at, at + 4096)));
    this.#report();
  }

  /** Of what was sent, what the guest has not read. */
  get unreadBytes(): number {
    return this.#toGuest.reduce((bytes, chunk) => bytes + chunk.length, 0);
  }

  receive(): Buffer {
    const bytes = Buffer.concat(this.#toHost);
    this.#toHost = [];
    if (bytes.length > 0) this.#report();
    return bytes;
  }

  unplug(): void {
    this.#plugged = false;
    this.#connected = false;
    this.#report();
  }

  #report(): void {
    this.#edge ??= setImmediate(() => {
      this.#edge = undefined;
      if (this.#closed) return;
      this.wakeUps++;
      this.#onEvents(this.#mask());
    });
  }

  #mask(): number {
    if (!this.#plugged) return portEvent.hangup;
    if (!this.#connected) return portEvent.readable | portEvent.hangup;
    const room = this.#toHost.length < descriptors ? portEvent.writable : 0;
    return room | (this.#toGuest.length > 0 ? portEvent.readable : 0);
  }
}
