import { CodedError } from "../../wire/errors.ts";

/** Why a process could not be started, by the step that failed. */
export function spawnError(cause: NodeJS.ErrnoException, workingDirectory: string, user: string): CodedError {
  const { code = "", syscall = "", message, path: file = "the command" } = cause;
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
    case "setgroups":
    case "setresgid":
    case "setresuid":
      return new CodedError("cannotSwitchUser", `cannot become ${user}: ${message}`, { cause });
    default:
      return new CodedError("spawn", `cannot start ${file}: ${message}`, { cause });
  }
}
