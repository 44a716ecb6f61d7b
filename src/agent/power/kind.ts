import { CodedError, type ErrorCode } from "../../wire/errors.ts";
import { ShutdownType } from "../../wire/envelope.ts";

/** What becomes of the machine: off, started anew, or stopped with its power on. */
export type ShutdownKind = "poweroff" | "reboot" | "halt";

export const shutdownKinds = ["poweroff", "reboot", "halt"] as const;

/** Throws CodedError invalidMessage for a type that is none. */
export function kindOf(type: ShutdownType): ShutdownKind {
  switch (type) {
    case ShutdownType.SHUTDOWN_TYPE_POWEROFF:
      return "poweroff";
    case ShutdownType.SHUTDOWN_TYPE_REBOOT:
      return "reboot";
    case ShutdownType.SHUTDOWN_TYPE_HALT:
      return "halt";
    default:
      throw new CodedError("invalidMessage", `${String(type)} is no type of shutdown`);
  }
}

export function typeOf(kind: ShutdownKind): ShutdownType {
  switch (kind) {
    case "poweroff":
      return ShutdownType.SHUTDOWN_TYPE_POWEROFF;
    case "reboot":
      return ShutdownType.SHUTDOWN_TYPE_REBOOT;
    case "halt":
      return ShutdownType.SHUTDOWN_TYPE_HALT;
  }
}

/** The code of what goes wrong with it. */
export function errorCodeOf(kind: ShutdownKind): ErrorCode {
  return kind === "reboot" ? "reboot" : "shutdown";
}
