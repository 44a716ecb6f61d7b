import { type OpenRawPort, Port } from "../../src/agent/transport/port.ts";
import { until } from "./until.ts";

/** A Port with everything it says written down, and a queue in front of its write(). */
export class PortProbe {
  readonly events: string[] = [];
  readonly port: Port;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #toSend: Buffer[] = [];

  constructor(open: OpenRawPort) {
    this.port = new Port(open, {
      attached: () => this.events.push("attached"),
      away: () => this.events.push("away"),
      data: (chunk) => {
        this.#received.push(chunk);
        this.#receivedBytes += chunk.length;
        return true;
      },
      writable: () => {
        this.#flush();
      },
      closed: (cause) => this.events.push(`closed: ${cause.reason}`),
    });
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get unsentBytes(): number {
    return this.#toSend.reduce((sum, buffer) => sum + buffer.length, 0);
  }

  send(...buffers: Buffer[]): void {
    this.#toSend.push(...buffers);
    this.#flush();
  }

  /** The first `count` bytes that have not been taken before. */
  async received(count: number): Promise<Buffer> {
    await until(
      `${count} bytes at the guest, ${this.#receivedBytes} came`,
      () => this.#receivedBytes >= count,
    );
    const all = Buffer.concat(this.#received);
    this.#received = all.length > count ? [all.subarray(count)] : [];
    this.#receivedBytes = all.length - count;
    return all.subarray(0, count);
  }

  async saw(...events: string[]): Promise<void> {
    await until(`events ${events.join(", ")}; there are ${this.events.join(", ")}`, () =>
      events.every((event, i) => this.events[this.events.length - events.length + i] === event),
    );
  }

  #flush(): void {
    let taken = this.port.write(this.#toSend);
    while (taken > 0) {
      const first = this.#toSend[0];
      if (first === undefined) break;
      if (taken < first.length) {
        this.#toSend[0] = first.subarray(taken);
        break;
      }
      taken -= first.length;
      this.#toSend.shift();
    }
  }
}
