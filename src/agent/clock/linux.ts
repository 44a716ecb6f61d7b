import { addon } from "../../native/addon.ts";
import type { Tools } from "../tools/tools.ts";
import { readChrony, stepByChrony } from "./chrony.ts";
import { keeperOfClock, timezoneOf } from "./keeper.ts";
import { readPtp } from "./ptp.ts";
import { Rtc } from "./rtc.ts";
import type { ClockSystem } from "./system.ts";

/** A hardware clock that is off by more is set too: the next start of the guest begins with it. */
const rtcToleranceSeconds = 2;

export function systemClock(tools: Tools): ClockSystem {
  const root = "";
  const rtc = new Rtc({ root, now: addon.clockNow, set: addon.setRtc });
  return {
    now: addon.clockNow,
    isSynchronised: addon.isClockSynchronised,
    step: (byUs) =>
      attempt(() => {
        addon.stepClock(byUs);
      }),
    slew: (byUs) =>
      attempt(() => {
        addon.slewClock(byUs);
      }),
    read: (source, signal) => {
      switch (source) {
        case "ptp":
          return readPtp(root, addon.comparePtpClock);
        case "rtc":
          return rtc.read(signal);
        case "chrony":
          return readChrony(tools, signal);
      }
    },
    stepByChrony: (signal) => stepByChrony(tools, signal),
    correctRtc: () => rtc.correct(rtcToleranceSeconds),
    keptBy: () => keeperOfClock(root),
    timezone: () => timezoneOf(root),
  };
}

/** What throws, rejects. */
function attempt(action: () => void): Promise<void> {
  return new Promise((resolve) => {
    action();
    resolve();
  });
}
