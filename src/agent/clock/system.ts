/** Where a guest can have the right time from, by itself; the best first. */
export const timeSources = ["ptp", "rtc", "chrony"] as const;
export type SourceName = (typeof timeSources)[number];

/** What a source says. */
export interface Reading {
  /** What is to be added to the clock, in microseconds; positive when it is behind. */
  offsetUs: number;
  /** How wrong that can be. */
  uncertaintyUs: number;
}

/** A guest's clock, and what tells it the time. Tests have their own, and never set a real clock. */
export interface ClockSystem {
  /** Microseconds since 1970. */
  now(): number;
  /** Moves the clock at once. Rejects as the system says. */
  step(byUs: number): Promise<void>;
  /** Has it moved gradually. Rejects as the system says. */
  slew(byUs: number): Promise<void>;
  /** Undefined where the guest has no such source. Rejects when it has, and that cannot tell. */
  read(source: SourceName, signal: AbortSignal): Promise<Reading | undefined>;
  /** Has chronyd step the clock to what it has measured. */
  stepByChrony(signal: AbortSignal): Promise<void>;
  /** Sets the hardware clock by the system's, where there is one that is off by seconds. True when it was. */
  correctRtc(): Promise<boolean>;
  /** Whether what keeps it says that it is right. */
  isSynchronised(): boolean;
  /** "chronyd", "systemd-timesyncd", "ntpd", "w32time" or "". */
  keptBy(): Promise<string>;
  /** "Europe/Berlin", or "" when it is not known. */
  timezone(): Promise<string>;
  /** Puts right what an agent that was killed has left; true when there was something. */
  begin?(): Promise<boolean>;
  /** What was under way stops. */
  close?(): Promise<void>;
}
