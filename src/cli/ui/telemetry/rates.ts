import type { Report } from "./report.ts";

/** Reports that follow each other faster, as after a change of an address, give no rate worth showing. */
const shortestSeconds = 0.8;

export type Counter = "received" | "sent" | "read" | "written";

/** Bytes per second, from the counters in a row of reports. */
export class Rates {
  #counters = new Map<string, number>();
  #perSecond = new Map<string, number>();
  #atMs = -Infinity;

  /** `atMs` is when the report came, by a clock that only goes forward. */
  update(report: Report, atMs: number): void {
    const seconds = (atMs - this.#atMs) / 1000;
    if (seconds < shortestSeconds) return;
    const before = this.#counters;
    this.#atMs = atMs;
    this.#counters = new Map(countersOf(report));
    this.#perSecond = new Map();
    for (const [key, count] of this.#counters) {
      const earlier = before.get(key);
      // A counter that went back began anew: the guest or its device was restarted.
      if (earlier !== undefined && count >= earlier) this.#perSecond.set(key, (count - earlier) / seconds);
    }
  }

  /** Of an interface or a disk; undefined until two reports had its counter. */
  perSecond(counter: Counter, name: string): number | undefined {
    return this.#perSecond.get(`${counter} ${name}`);
  }
}

function* countersOf({ interfaces, diskIo }: Report): Generator<[key: string, count: number]> {
  for (const { name, rxBytes, txBytes } of interfaces) {
    yield [`received ${name}`, rxBytes];
    yield [`sent ${name}`, txBytes];
  }
  for (const { device, readBytes, writeBytes } of diskIo) {
    yield [`read ${device}`, readBytes];
    yield [`written ${device}`, writeBytes];
  }
}
