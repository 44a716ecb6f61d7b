import os from "node:os";
import { unsupportedFreezer } from "../quiesce/unsupported.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Account } from "../users/account.ts";
import type { PasswordSetter } from "../users/passwords.ts";
import type { NetworkSystem } from "../network/backends/backend.ts";
import type { OperatingSystem } from "./linux.ts";

export async function networkSystem(): Promise<NetworkSystem> {
  return (await import("../network/backends/win32.ts")).system;
}
/** Volume Shadow Copies are still to come. */
export const freezer = unsupportedFreezer("on Windows file systems cannot be frozen or trimmed yet");
export { systemClock } from "../clock/win32.ts";
export { deviceTransport, socketTransports } from "../transport/win32.ts";
export { announcer, hasProgram, shutdownCalls } from "../power/ways-win32.ts";

export function operatingSystem(): OperatingSystem {
  return { name: os.version(), version: os.release(), kernel: os.release(), architecture: os.machine() };
}

/** Windows Error Reporting keeps dumps of processes only where an administrator has asked for them. */
export function forbidCoreDumps(): void {
  // There is nothing to forbid.
}

/** `net user` would take the password as an argument, for all to see; NetUserSetInfo is still to come. */
export function passwordSetter(): PasswordSetter {
  return {
    set: ({ user }) =>
      Promise.reject(
        new CodedError("password", `cannot set the password of ${user}: not supported on Windows yet`),
      ),
  };
}

/** Whose files they are, and who may read them, is another matter there than owner and mode. */
export function accountOf(user: string): Promise<Account> {
  return Promise.reject(
    new CodedError("unknownType", `cannot tell the SSH keys of ${user}: not supported on Windows yet`),
  );
}
