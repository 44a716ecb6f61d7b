import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import { lookUp } from "../commands/identity.ts";
import { checkedUserName } from "./user-name.ts";

/** Whose files they are, and where. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
  /** An absolute path. */
  home: string;
}

/** A user by name, of this guest or of its directory. Rejects with CodedError: noSuchUser, fileNotFound without a home. */
export async function accountOf(user: string): Promise<Account> {
  const record = await lookUp("user", checkedUserName(user));
  if (record === undefined) throw new CodedError("noSuchUser", `there is no user ${user}`);
  const { name, uid, gid, home } = record;
  if (path.isAbsolute(home)) return { name, uid, gid, home };
  throw new CodedError("fileNotFound", `the user ${user} has no home`);
}
