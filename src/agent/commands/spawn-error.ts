import { CodedError } from "../../wire/errors.ts";

/** Why a process could not be started, by the step that failed. */
export function spawnError(cause: NodeJS.ErrnoException, workingDirectory: string, user: string): CodedError {
  const { code = "", syscall = "", message, path: file = "the command" } = cause;
  const { windowsError } = cause as { windowsError?: number };
  switch (syscall) {
    case "execve":
      if (code === "EACCES" || code === "EPERM") {
        return new CodedError("commandPermission", `${user} may not execute ${file} (${code})`, { cause });
      }
      if (code === "E2BIG") {
        return new CodedError("spawn", "arguments and environment are larger than the guest allows (E2BIG)", {
          cause,
        });
      }
      return new CodedError("spawn", `cannot execute ${file}: ${message}`, { cause });
    case "chdir":
      return new CodedError("workingDirectory", `${user} cannot enter ${workingDirectory} (${code})`, {
        cause,
      });
    case "CreateProcessW":
    case "CreateProcessAsUserW":
      return createError(cause, windowsError, file, user);
    case "CreatePseudoConsole":
      return new CodedError(
        "spawn",
        `this Windows has no terminals for commands (they came with version 1809): ${message}; run it without one`,
        { cause },
      );
    case "LookupAccountNameW":
    case "LsaRegisterLogonProcess":
    case "LsaLookupAuthenticationPackage":
    case "LsaLogonUser":
    case "DuplicateTokenEx":
      return new CodedError(
        "cannotSwitchUser",
        `cannot become ${user}: ${syscall} failed with Windows error ${windowsError ?? 0}; the agent must run as LocalSystem, and the account be one that may log on`,
        { cause },
      );
    case "setgroups":
    case "setresgid":
    case "setresuid":
      return new CodedError("cannotSwitchUser", `cannot become ${user}: ${message}`, { cause });
    default:
      return new CodedError("spawn", `cannot start ${file}: ${message}`, { cause });
  }
}

/** Numbers of winerror.h. */
const windowsErrors = {
  fileNotFound: 2,
  pathNotFound: 3,
  accessDenied: 5,
  badFormat: 193,
  elevationRequired: 740,
  privilegeNotHeld: 1314,
} as const;

function createError(cause: Error, number: number | undefined, file: string, user: string): CodedError {
  switch (number) {
    case windowsErrors.fileNotFound:
    case windowsErrors.pathNotFound:
      return new CodedError("commandNotFound", `command not found: ${file}`, { cause });
    case windowsErrors.accessDenied:
      return new CodedError("commandPermission", `${user} may not execute ${file}`, { cause });
    case windowsErrors.elevationRequired:
      return new CodedError("commandPermission", `${file} runs only with the rights of an administrator`, {
        cause,
      });
    case windowsErrors.badFormat:
      return new CodedError("spawn", `cannot execute ${file}: it is no program for this Windows`, { cause });
    case windowsErrors.privilegeNotHeld:
      return new CodedError("cannotSwitchUser", `cannot become ${user}: the agent must run as LocalSystem`, {
        cause,
      });
    default:
      return new CodedError(
        "spawn",
        `cannot start ${file}: Windows error ${number ?? 0} (${cause.message})`,
        { cause },
      );
  }
}
