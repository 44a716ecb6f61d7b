import os from "node:os";
import type { Identity, IdentityRequest } from "../commands/identity.ts";
import { CodedError } from "../../wire/errors.ts";
import type { OperatingSystem } from "./linux.ts";

export { systemClock } from "../clock/win32.ts";
export { announcer, hasProgram, shutdownCalls } from "../power/ways-win32.ts";

export function operatingSystem(): OperatingSystem {
  return { name: os.version(), version: os.release(), kernel: os.release(), architecture: os.machine() };
}

/** The service's own user. Throws CodedError cannotSwitchUser for any other: LogonUser is still to come. */
export function identify({ user, group }: IdentityRequest): Promise<Identity> {
  const { username: name, homedir: home } = os.userInfo();
  if (user === "" && group === "") return Promise.resolve({ user: { name, home, shell: shell() } });
  const whom = [user && `user ${user}`, group && `group ${group}`].filter(Boolean).join(" and ");
  return Promise.reject(
    new CodedError(
      "cannotSwitchUser",
      `cannot become ${whom}: on Windows commands run as the agent's own user; leave user and group out`,
    ),
  );
}

/** What runs a line. */
export function shellFor(line: string): { program: string; argv: readonly string[] } {
  return { program: shell(), argv: ["cmd.exe", "/d", "/s", "/c", line] };
}

function shell(): string {
  return process.env["ComSpec"] ?? "C:\\Windows\\System32\\cmd.exe";
}
