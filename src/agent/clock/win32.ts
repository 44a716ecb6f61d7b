import { addon } from "../../native/addon.ts";
import type { ClockNow } from "../../native/clock.ts";
import type { ClockRate, IsServiceRunning, SetClockRate, StepSystemTime } from "../../native/windows.ts";
import { CodedError } from "../../wire/errors.ts";
import { withDeadline } from "../deadline.ts";
import { explained } from "../windows-error.ts";
import type { ClockSystem } from "./system.ts";

/** What Windows offers. Tests have their own, and never set a real clock. */
export interface WindowsClock {
  clockNow: ClockNow;
  stepSystemTime: StepSystemTime;
  setClockRate: SetClockRate;
  clockRate: ClockRate;
  isServiceRunning: IsServiceRunning;
}

/** What Linux slews by too: half a millisecond a second. */
const slewRate = 500;

/** As far as what Windows keeps of a rate may be off it. */
const rateTolerance = 5;

/** Windows Time, the service that keeps the clock. */
const keeper = "w32time";

/** None of them waits for anything but Windows. */
const answerMs = 10_000;

export function systemClock(): ClockSystem {
  return windowsClock(addon);
}

/** Windows has a hypervisor's time from its own services: the agent only moves the clock to what a host says. */
export function windowsClock(windows: WindowsClock): ClockSystem {
  let slew: NodeJS.Timeout | undefined;
  const isKept = (): Promise<boolean> => withDeadline(windows.isServiceRunning(keeper), answerMs);
  const setRate = (rate: number): Promise<void> => withDeadline(windows.setClockRate(rate), answerMs);
  /** What has not stopped is tried again by the next who comes here. */
  const stopSlew = async (): Promise<void> => {
    const ours = slew;
    if (ours === undefined) return;
    clearTimeout(ours);
    await setRate(0);
    if (slew === ours) slew = undefined;
  };
  /** Until Windows has taken it: a clock that goes on at another rate is worse than one that was wrong. */
  const endSlew = (): void => {
    const ours = slew;
    stopSlew().catch(() => {
      if (slew === ours) slew = setTimeout(endSlew, answerMs);
    });
  };
  return {
    now: windows.clockNow,
    /** Windows Time tells only its own tool, in the words of the system's language. */
    isSynchronised: () => false,
    step: (byUs) =>
      told(async () => {
        await stopSlew();
        await withDeadline(windows.stepSystemTime(byUs), answerMs);
      }),
    slew: (byUs) =>
      told(async () => {
        if (await isKept()) {
          const why = `the service ${keeper} sets its rate; leave slew out, or stop the service`;
          throw new CodedError("clock", `cannot move the clock gradually: ${why}`);
        }
        await stopSlew();
        if (byUs === 0) return;
        await setRate(byUs > 0 ? slewRate : -slewRate);
        slew = setTimeout(endSlew, (Math.abs(byUs) / slewRate) * 1000);
      }),
    read: () => Promise.reject(new Error("no such source on Windows")),
    stepByChrony: () => Promise.reject(new CodedError("clock", "there is no chrony on Windows")),
    correctRtc: () => Promise.resolve(false), // Windows does
    keptBy: async () => ((await isKept()) ? keeper : ""),
    timezone: () => Promise.resolve(Intl.DateTimeFormat().resolvedOptions().timeZone),
    async begin() {
      if (Math.abs(Math.abs(windows.clockRate()) - slewRate) > rateTolerance || (await isKept()))
        return false;
      await setRate(0);
      return true;
    },
    close: stopSlew,
  };
}

/** What goes wrong as an error of the protocol that says what to do. */
async function told(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError("clock", `cannot set the clock: ${explained(cause)}`, { cause });
  }
}
