import { addon } from "../../native/addon.ts";
import type { FindLocalUser, SetUserPassword } from "../../native/windows.ts";
import { CodedError } from "../../wire/errors.ts";
import { withDeadline } from "../deadline.ts";
import { Queue } from "../queue.ts";
import { explained, windowsErrorOf } from "../windows-error.ts";
import type { PasswordRequest, PasswordSetter } from "./passwords.ts";
import { wrongPassword } from "./secret.ts";
import { checkedWindowsName } from "./windows-name.ts";

/** What Windows offers. Tests have their own, and never change an account. */
export interface WindowsUsers {
  findLocalUser: FindLocalUser;
  setUserPassword: SetUserPassword;
}

/** A domain controller may wait for another. */
const deadlineMs = 30_000;

/** What the logon of Windows takes, in UTF-16 units. */
const mostPasswordUnits = 127;

/** UF_PASSWD_CANT_CHANGE and UF_DONT_EXPIRE_PASSWD of lmaccess.h. */
const [cannotChange, neverExpires] = [0x40, 0x1_0000];

const userNotFound = 2221;

/** The policy's own words are only in Windows' language, so these say what to look at. */
const policy = "see the password policy (net accounts, or secpol.msc)";
const problems: Readonly<Record<number, string>> = {
  86: `Windows takes no such password; ${policy}`,
  1325: `the password policy refuses it: too short, too simple, too new or used before; ${policy}`,
  1717: "the security accounts manager does not answer; the guest may still be starting",
  1722: "the security accounts manager does not answer; the guest may still be starting",
  2226: "this is a domain controller that takes no changes; set the password on another",
  2243: "this user's password cannot be changed",
  2244: `it was used before; ${policy}`,
  2245: `the password policy refuses it: too short, too simple, too new or used before; ${policy}`,
  2246: `the earlier one is too new to be changed; ${policy}`,
  2351: "Windows does not know its own name (Windows error 2351); look at the computer's name and restart the guest",
};

export function passwordSetter(): PasswordSetter {
  return new WindowsPasswords(addon);
}

/** Passwords of this machine's own users, or of a domain's on its controller, one after the other. */
export class WindowsPasswords implements PasswordSetter {
  readonly #windows: WindowsUsers;
  readonly #queue = new Queue();

  constructor(windows: WindowsUsers) {
    this.#windows = windows;
  }

  async set(request: PasswordRequest, signal: AbortSignal): Promise<void> {
    const user = checkedWindowsName(request.user);
    const wrong = whatIsWrong(request);
    if (wrong !== undefined) throw failure(user, `${wrong}; nothing was changed`);
    const progress = { begun: false, late: false };
    const work = this.#queue.run(signal, async () => {
      // Who has been told that it is too late must not get it all the same.
      if (progress.late) return;
      await this.#set(user, request, progress, signal);
    });
    await withDeadline(work, deadlineMs, () => {
      progress.late = true;
      const end = progress.begun ? "whether it is set is not known" : "nothing was changed";
      return failure(user, `Windows did not answer within ${deadlineMs / 1000} s; ${end}`);
    });
  }

  async #set(
    user: string,
    { secret, expire }: PasswordRequest,
    progress: { begun: boolean; late: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const found = await this.#windows.findLocalUser(user).catch((cause: unknown) => {
      throw failure(user, `cannot look the user up: ${explained(cause)}`, cause);
    });
    if (found === undefined) throw noSuchUser(user);
    const obstacle = expire ? whyNotExpire(found.flags) : undefined;
    if (obstacle !== undefined) throw failure(user, `${obstacle}; nothing was changed`);
    signal.throwIfAborted();
    if (progress.late) return;
    progress.begun = true;
    try {
      await this.#windows.setUserPassword(found.name, secret, expire);
    } catch (cause) {
      const number = windowsErrorOf(cause);
      if (number === userNotFound) throw noSuchUser(user);
      throw failure(user, `${problems[number] ?? explained(cause)}; nothing was changed`, cause);
    }
  }
}

function whatIsWrong({ secret, hashed }: PasswordRequest): string | undefined {
  if (hashed) return "Windows takes no hash; give the password itself";
  const wrong = wrongPassword(secret);
  if (wrong !== undefined) return wrong;
  if (secret.length > mostPasswordUnits)
    return `it is longer than the ${mostPasswordUnits} characters that a logon takes`;
  return undefined;
}

/** Such a user would never be asked for another password, or could not log in any more. */
function whyNotExpire(flags: number): string | undefined {
  if ((flags & cannotChange) !== 0) return "it cannot expire, as this user may not change it";
  if ((flags & neverExpires) !== 0) return "it cannot expire, as this user's password is set never to";
  return undefined;
}

function noSuchUser(user: string): CodedError {
  return new CodedError("noSuchUser", `there is no user ${user} on this machine`);
}

function failure(user: string, why: string, cause?: unknown): CodedError {
  return new CodedError("password", `cannot set the password of ${user}: ${why}`, { cause });
}
