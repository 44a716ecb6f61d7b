// The system's clock and the machine's. Errors have Node's shape: EPERM without CAP_SYS_TIME.

/** Microseconds since 1970, with a fraction, of the system's clock. */
export type ClockNow = () => number;

/** Moves the clock at once by so many microseconds, from what it is at that moment (ADJ_SETOFFSET). Throws. */
export type StepClock = (byUs: number) => void;

/** Has the kernel move the clock by so many microseconds, half a millisecond in each second (adjtime(3)). Throws. */
export type SlewClock = (byUs: number) => void;

/** Whether what keeps the clock right has told the kernel that it is right (STA_UNSYNC). */
export type IsClockSynchronised = () => boolean;

/** How far a PTP clock, /dev/ptp0, is ahead of the system's, and how wrong that can be. */
export type ComparePtpClock = (device: string) => Promise<{ offsetUs: number; uncertaintyUs: number }>;

/** Sets a hardware clock, /dev/rtc0, to so many seconds since 1970; one that keeps local time, to those as they would be in UTC. */
export type SetRtc = (device: string, seconds: number) => Promise<void>;
