import { addon } from "../../native/addon.ts";
import type { UserRecord } from "../../native/process.ts";
import { CodedError } from "../../wire/errors.ts";
import { withDeadline } from "../deadline.ts";
import { ownUid } from "./environment.ts";

/** Who a command runs as. */
export interface Identity {
  user: Pick<UserRecord, "name" | "home" | "shell">;
  /** What the process switches to; absent when it stays what the agent is. */
  switchTo?: { uid: number; gid: number; groups: readonly number[] };
  /** Windows, in place of that: "DOMAIN\\name". */
  account?: string;
}

export interface IdentityRequest {
  /** Name or number; "" for the agent's own user. */
  user: string;
  /** Name or number; "" for the user's primary group. */
  group: string;
  /** The user's other groups too. Without, there is just the one; never root's. */
  supplementaryGroups: boolean;
}

/** A user database behind a dead server may never answer. */
const lookupDeadlineMs = 5_000;

/** Looks up who is asked for. Throws CodedError: noSuchUser, noSuchGroup. */
export async function identify(request: IdentityRequest): Promise<Identity> {
  const user = request.user === "" ? await ownUser(ownUid) : await userNamed(request.user);
  const gid = request.group === "" ? user.gid : await groupNamed(request.group);
  // An agent that is not root can run commands as itself and no other.
  if (ownUid !== 0 && user.uid === ownUid && request.group === "") return { user };
  const groups = request.supplementaryGroups ? [...new Set([gid, ...user.groups])] : [gid];
  return { user, switchTo: { uid: user.uid, gid, groups } };
}

let own: Promise<UserRecord | undefined> | undefined;

/** Looked up once: it is who every command without a user runs as. */
async function ownUser(uid: number): Promise<UserRecord> {
  const found = await (own ??= lookUp("user", uid).catch(() => undefined));
  if (found) return found;
  own = undefined;
  // A minimal image may have no user database.
  const gid = process.getgid?.() ?? 0;
  return { name: String(uid), uid, gid, home: "/", shell: "/bin/sh", groups: [gid] };
}

async function userNamed(name: string): Promise<UserRecord> {
  const user =
    (await lookUp("user", name)) ?? (isNumber(name) ? await lookUp("user", Number(name)) : undefined);
  if (user === undefined) throw new CodedError("noSuchUser", `there is no user ${name}`);
  return user;
}

async function groupNamed(name: string): Promise<number> {
  const group =
    (await lookUp("group", name)) ?? (isNumber(name) ? await lookUp("group", Number(name)) : undefined);
  if (group === undefined) throw new CodedError("noSuchGroup", `there is no group ${name}`);
  return group.gid;
}

/** An id as the kernel has it: 32 bits, and the last stands for none. */
export function isNumber(name: string): boolean {
  return /^\d{1,10}$/.test(name) && Number(name) < 0xffff_ffff;
}

const database = { user: addon.lookupUser, group: addon.lookupGroup };
type Found<Kind extends keyof typeof database> = Awaited<ReturnType<(typeof database)[Kind]>>;

/** Those under way: a hundred commands of one user ask once. */
const underWay = new Map<string, Promise<unknown>>();

/** Asks the name service, within 5 s. Rejects with CodedError: noSuchUser, noSuchGroup. */
export async function lookUp<Kind extends keyof typeof database>(
  kind: Kind,
  name: string | number,
): Promise<Found<Kind>> {
  const key = JSON.stringify([kind, name]);
  let answer = underWay.get(key) as Promise<Found<Kind>> | undefined;
  if (answer === undefined) {
    answer = withDeadline(database[kind](name), lookupDeadlineMs) as Promise<Found<Kind>>;
    underWay.set(key, answer);
  }
  try {
    return await answer;
  } catch (cause) {
    const code = kind === "user" ? "noSuchUser" : "noSuchGroup";
    throw new CodedError(code, `cannot look up the ${kind} ${name}: ${(cause as Error).message}`, { cause });
  } finally {
    underWay.delete(key);
  }
}
