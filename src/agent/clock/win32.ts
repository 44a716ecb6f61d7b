import { CodedError } from "../../wire/errors.ts";
import type { ToolCall } from "../tools/tool-call.ts";
import type { Tools } from "../tools/tools.ts";
import type { ClockSystem } from "./system.ts";

/** Moves the clock by so much, from what it is when the command gets there. */
export function stepCall(byUs: number): ToolCall {
  const ticks = Math.round(byUs * 10); // of 100 ns
  const script = `Set-Date -Adjust ([TimeSpan]::FromTicks(${ticks})) | Out-Null`;
  return { program: "powershell.exe", args: ["-NoProfile", "-NonInteractive", "-Command", script] };
}

/** Windows has a hypervisor's time from its own services; the agent only steps the clock to what a host says. */
export function systemClock(tools: Tools): ClockSystem {
  return {
    now: () => Date.now() * 1000,
    isSynchronised: () => false,
    step: async (byUs) => {
      const { program, args } = stepCall(byUs);
      await tools.expect("clock", program, args);
    },
    slew: () =>
      Promise.reject(
        new CodedError("clock", "a gradual change is not supported on Windows yet; leave slew out"),
      ),
    read: () => Promise.resolve(undefined),
    stepByChrony: () => Promise.reject(new CodedError("clock", "there is no chrony on Windows")),
    correctRtc: () => Promise.resolve(false), // Windows does
    keptBy: () => Promise.resolve(""),
    timezone: () => Promise.resolve(Intl.DateTimeFormat().resolvedOptions().timeZone),
  };
}
