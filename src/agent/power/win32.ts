import os from "node:os";
import { addon } from "../../native/addon.ts";
import type { ShutdownSystem, TellSessions } from "../../native/windows.ts";
import { CodedError } from "../../wire/errors.ts";
import { withDeadline } from "../deadline.ts";
import { explained, windowsErrorOf } from "../windows-error.ts";
import { errorCodeOf } from "./kind.ts";
import type { PowerSystem } from "./system.ts";

/** What Windows offers. Tests have their own, and never take a machine down. */
export interface WindowsPower {
  shutdownSystem: ShutdownSystem;
  tellSessions: TellSessions;
}

/** As the audit and the log name it. */
const way = { program: "InitiateSystemShutdownEx", args: [] };

/** The service that is asked answers at once; one that hangs is told of. */
const takeDownMs = 30_000;
const tellMs = 2_000;

/** How long the text stays on the screen of somebody who does not close it. */
const shownSeconds = 60;

/** What shutdownSystem takes. */
const longestComment = 512;

/** ERROR_SHUTDOWN_IN_PROGRESS */
const inProgress = 1115;

export function powerSystem(): PowerSystem {
  return windowsPower(addon);
}

export function windowsPower(windows: WindowsPower): PowerSystem {
  return {
    uptimeSeconds: () => os.uptime(),
    wayDown(kind) {
      if (kind !== "halt") return Promise.resolve(way);
      const message = "Windows cannot halt with the power on; ask for a poweroff";
      return Promise.reject(new CodedError(errorCodeOf(kind), message));
    },
    async takeDown(kind, _way, text) {
      const failure = (why: string, cause?: unknown): CodedError =>
        new CodedError(errorCodeOf(kind), `Windows does not go down: ${why}`, { cause });
      const message = (text === "" ? "The host of this virtual machine asks for it." : text).slice(
        0,
        longestComment,
      );
      const late = (): Error => new Error(`no answer within ${takeDownMs / 1000} s`);
      try {
        await withDeadline(windows.shutdownSystem({ reboot: kind === "reboot", message }), takeDownMs, late);
      } catch (cause) {
        if (windowsErrorOf(cause) === inProgress)
          throw failure("it is going down already, as somebody else has asked, maybe in another way", cause);
        throw failure(explained(cause), cause);
      }
    },
    async tell(text) {
      await withDeadline(windows.tellSessions("Virtual machine", text, shownSeconds), tellMs);
    },
  };
}
