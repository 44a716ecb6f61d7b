import type { SerialPort } from "serialport";
import { type RawPort, portEvent } from "../../native/port.ts";

/** Bytes for the line that wait in this process; of more no more is taken. */
const mostUnsentBytes = 128 * 1024;

/** A serial line of the package serialport as a port. The line is open already. */
export class SerialRawPort implements RawPort {
  readonly kind = "terminal";
  readonly #line: SerialPort;
  #error: Error | undefined;
  #hasEnded = false;
  #isClosed = false;

  constructor(line: SerialPort, onEvents: (mask: number) => void) {
    this.#line = line;
    const tell = (mask: number): void => {
      if (!this.#isClosed) onEvents(mask);
    };
    line.on("readable", () => {
      tell(portEvent.readable);
    });
    line.on("drain", () => {
      tell(portEvent.writable);
    });
    line.on("error", (error) => {
      this.#error ??= error;
      tell(portEvent.readable | portEvent.error);
    });
    line.on("close", () => {
      this.#hasEnded = true;
      tell(portEvent.readable | portEvent.hangup);
    });
  }

  read(buffer: Uint8Array): number {
    const bytes = Math.min(this.#line.readableLength, buffer.length);
    // Asking for nothing has the stream look for more.
    const chunk = this.#line.read(bytes) as Buffer | null;
    if (chunk !== null && chunk.length > 0) {
      buffer.set(chunk);
      return chunk.length;
    }
    if (this.#error !== undefined) throw this.#error;
    return this.#hasEnded ? -1 : 0;
  }

  write(buffers: readonly Uint8Array[]): number {
    if (this.#error !== undefined) throw this.#error;
    let written = 0;
    for (const buffer of buffers) {
      const room = mostUnsentBytes - this.#line.writableLength;
      if (room <= 0) break;
      const part = buffer.subarray(0, room);
      this.#line.write(Buffer.from(part)); // a copy: the caller uses its memory again
      written += part.length;
      if (part.length < buffer.length) break;
    }
    return written;
  }

  get unsent(): number {
    return this.#line.writableLength;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#line.isOpen) this.#line.close(() => undefined); // nobody is left to be told of its failure
  }
}
