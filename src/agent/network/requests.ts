import { CodedError } from "../../wire/errors.ts";

/** Longer than it takes a person to look whether all is well. */
export const mostConfirmSeconds = 3600;

export interface NetworkRequest {
  document: string;
  /** False: it is written, for the next boot. */
  apply: boolean;
  /** 0: it is kept without a word of the host. At most 3600. */
  confirmSeconds: number;
}

export interface Configured {
  backend: string;
  /** A line each: "wrote /etc/netplan/99-limiquantix.yaml", "eth0: address 10.0.0.5/24 added". */
  changes: string[];
  /** It waits for the host, until then: milliseconds since 1970. */
  confirmation?: { token: string; until: number };
}

export interface NetworkState {
  /** "none" where there is none. */
  backend: string;
  /** What was configured last, or "". */
  document: string;
  effective: string;
  /** Milliseconds since 1970. */
  confirmUntil: number | undefined;
  canRollBack: boolean;
}

/** A change failed after it had begun. */
export class ChangeFailed extends CodedError {
  constructor(
    message: string,
    readonly backend: string,
    /** What was there before holds again. */
    readonly rolledBack: boolean,
    options?: ErrorOptions,
  ) {
    super("network", message, options);
  }
}

/** Throws CodedError network for what cannot be waited for. */
export function checkConfirmation({ apply, confirmSeconds }: NetworkRequest): void {
  if (confirmSeconds > mostConfirmSeconds)
    throw refused(`confirm_seconds is ${confirmSeconds}; at most ${mostConfirmSeconds} are waited`);
  if (confirmSeconds > 0 && !apply)
    throw refused("confirm_seconds needs apply_now: what is not applied cannot be confirmed");
}

export function refused(message: string, cause?: unknown): CodedError {
  return new CodedError("network", message, { cause });
}
