import { CodedError } from "../../wire/errors.ts";
import type { Identity } from "./identity.ts";

/** Whose user the agent is. */
export const ownUid = process.getuid?.() ?? 0;

/** login.defs(5): ENV_SUPATH and ENV_PATH as Debian ships them, the local folders first. */
export const rootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const userPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games";

/**
 * What a command finds in its environment: the target user's HOME, USER, LOGNAME, SHELL and PATH, the agent's LANG,
 * and what the host adds. Nothing else of the agent's. Throws CodedError invalidMessage.
 */
export function environmentFor(
  { user, switchTo }: Identity,
  added: Readonly<Record<string, string>>,
): Map<string, string> {
  const isRoot = (switchTo?.uid ?? ownUid) === 0;
  const environment = new Map([
    ["HOME", user.home],
    ["USER", user.name],
    ["LOGNAME", user.name],
    ["SHELL", user.shell],
    ["PATH", isRoot ? rootPath : userPath],
  ]);
  if (process.env["LANG"] !== undefined) environment.set("LANG", process.env["LANG"]);
  for (const [name, value] of Object.entries(added)) {
    if (name === "" || /[=\0]/.test(name) || value.includes("\0")) {
      throw new CodedError("invalidMessage", `${JSON.stringify(name)} cannot be set in an environment`);
    }
    environment.set(name, value);
  }
  return environment;
}
