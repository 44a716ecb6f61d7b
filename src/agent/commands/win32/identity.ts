import os from "node:os";
import { addon } from "../../../native/addon.ts";
import type { LookupAccount } from "../../../native/process.ts";
import { CodedError } from "../../../wire/errors.ts";
import { withDeadline } from "../../deadline.ts";
import type { Identity, IdentityRequest } from "../identity.ts";
import { cmdExe, isDrivePath, systemDrive } from "./places.ts";

/** A domain whose servers are dead may never answer. */
const lookupDeadlineMs = 5_000;

/** "NT AUTHORITY\SYSTEM", however this Windows spells it. */
const localSystem = "S-1-5-18";

let own: Identity | undefined;

/** Who every command without a user runs as: the service's user. Asked once. */
function ownIdentity(): Identity {
  if (own) return own;
  const { username, homedir } = os.userInfo();
  return (own = { user: { name: username, home: homedir, shell: cmdExe } });
}

/** Looks up who is asked for. Throws CodedError: noSuchUser, noSuchGroup, cannotSwitchUser. */
export async function identify(
  { user, group }: IdentityRequest,
  lookUp: LookupAccount = addon.lookupAccount,
): Promise<Identity> {
  if (group !== "") {
    throw new CodedError(
      "noSuchGroup",
      `cannot run as group ${group}: on Windows a user's groups are Windows' to say; leave the group out`,
    );
  }
  if (user === "") return ownIdentity();
  if (user.includes("\0")) throw new CodedError("noSuchUser", "a user's name has no NUL");
  let found: Awaited<ReturnType<LookupAccount>>;
  try {
    found = await withDeadline(lookUp(user), lookupDeadlineMs);
  } catch (cause) {
    throw new CodedError("noSuchUser", `cannot look up the user ${user}: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (found === undefined) throw new CodedError("noSuchUser", `there is no user ${user}`);
  const account = `${found.domain}\\${found.name}`;
  const self = ownIdentity();
  if (found.sid === localSystem && self.user.name.toUpperCase() === "SYSTEM") return self;
  if (!found.isUser) throw new CodedError("cannotSwitchUser", `${account} is not a user that can log on`);
  if (isSelf(found.name, found.home, self)) return self;
  return {
    user: { name: account, home: isDrivePath(found.home) ? found.home : systemDrive, shell: cmdExe },
    account,
  };
}

/** The agent that is no service runs commands as whoever has started it. */
function isSelf(name: string, home: string, { user }: Identity): boolean {
  return name.toUpperCase() === user.name.toUpperCase() && home.toUpperCase() === user.home.toUpperCase();
}
