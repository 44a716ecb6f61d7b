import type { TelemetryReport } from "../../../host/index.ts";

/** Reports that follow each other faster, as after a change of an address, give no rate worth showing. */
const shortestSeconds = 0.8;

export type Counter = "received" | "sent" | "read" | "written";

/** Bytes per second, from the counters in a row of reports. */
export class Rates {
  #counters = new Map<string, number>();
  #perSecond = new Map<string, number>();
  #atMs = -Infinity;

  update(report: TelemetryReport, atMs: number): void {
    const seconds = (atMs - this.#atMs) / 1000;
    if (seconds < shortestSeconds) return;
    const before = this.#counters;
    this.#atMs = atMs;
    this.#counters = countersOf(report);
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

function countersOf({ interfaces, diskIo }: TelemetryReport): Map<string, number> {
  const counters: [string, number | null | undefined][] = [
    ...interfaces.flatMap(({ name, rxBytes, txBytes }) => [
      [`received ${name}`, rxBytes] as [string, number],
      [`sent ${name}`, txBytes] as [string, number],
    ]),
    ...diskIo.flatMap(({ device, readBytes, writeBytes }) => [
      [`read ${device}`, readBytes] as [string, number],
      [`written ${device}`, writeBytes] as [string, number],
    ]),
  ];
  return new Map(counters.filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}
