import type { ClockSystem, Reading, SourceName } from "../../src/agent/clock/system.ts";

/** A guest's clock that only exists here. It stands still unless it is set. */
export class FakeClock implements ClockSystem {
  nowUs = Date.UTC(2026, 0, 1) * 1000;
  /** "step 1000000", "slew -5", "makestep", in order. */
  readonly changes: string[] = [];
  readonly sources = new Map<SourceName, Reading | Error>();
  /** What setting it is answered with. */
  failure: Error | undefined;
  rtcChecks = 0;

  now(): number {
    return this.nowUs;
  }

  step(byUs: number): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    this.changes.push(`step ${Math.round(byUs)}`);
    this.nowUs += byUs;
    return Promise.resolve();
  }

  slew(byUs: number): Promise<void> {
    this.changes.push(`slew ${Math.round(byUs)}`);
    return Promise.resolve();
  }

  read(source: SourceName): Promise<Reading | undefined> {
    const reading = this.sources.get(source);
    return reading instanceof Error ? Promise.reject(reading) : Promise.resolve(reading);
  }

  stepByChrony(): Promise<void> {
    this.changes.push("makestep");
    return Promise.resolve();
  }

  correctRtc(): Promise<boolean> {
    this.rtcChecks++;
    return Promise.resolve(true);
  }

  isSynchronised(): boolean {
    return true;
  }

  keptBy(): Promise<string> {
    return Promise.resolve("chronyd");
  }

  timezone(): Promise<string> {
    return Promise.resolve("Europe/Berlin");
  }
}
