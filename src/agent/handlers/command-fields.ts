import type { Request } from "../../wire/operations.ts";
import type { CommandRequest } from "../commands/commands.ts";

type Common = Pick<
  CommandRequest,
  "command" | "args" | "workingDirectory" | "environment" | "user" | "group" | "supplementaryGroups"
>;

/** What execute and exec_start say alike. */
export function commandFields(request: Request<"execute"> | Request<"execStart">): Common {
  const { command, args, workingDirectory, environment } = request;
  return {
    command,
    args,
    workingDirectory,
    environment,
    user: request.runAsUser,
    group: request.runAsGroup,
    supplementaryGroups: request.includeSupplementaryGroups,
  };
}
