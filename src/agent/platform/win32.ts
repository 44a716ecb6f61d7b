import { unsupportedFreezer } from "../quiesce/unsupported.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Account } from "../users/account.ts";
import type { NetworkSystem } from "../network/backends/backend.ts";

export async function networkSystem(): Promise<NetworkSystem> {
  return (await import("../network/backends/win32.ts")).system;
}
/** A freeze that holds needs a VSS provider of its own, registered with COM+: see docs/architecture.md. */
export const freezer = unsupportedFreezer(
  "this agent cannot freeze or trim the file systems of Windows, which trims its disks by itself; take the snapshot with the guest's memory, or when it is shut down",
);
export { systemFeatures } from "./features-win32.ts";
export { operatingSystem } from "./windows-version.ts";
export { systemClock } from "../clock/win32.ts";
export { powerSystem } from "../power/win32.ts";
export { readBootId } from "../boot-id-win32.ts";
export { passwordSetter } from "../users/win32.ts";
export { deviceTransport, placeTransports } from "../transport/win32.ts";

/** Windows Error Reporting keeps dumps of processes only where an administrator has asked for them. */
export function forbidCoreDumps(): void {
  // There is nothing to forbid.
}

/** Whose files they are, and who may read them, is another matter there than owner and mode. */
export function accountOf(user: string): Promise<Account> {
  return Promise.reject(
    new CodedError(
      "unknownType",
      `cannot tell the SSH keys of ${user}: not supported on Windows yet; write .ssh\\authorized_keys of the user, or of administrators %ProgramData%\\ssh\\administrators_authorized_keys, as a file`,
    ),
  );
}
