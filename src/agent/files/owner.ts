import { isNumber, lookUp } from "../commands/identity.ts";
import { CodedError } from "../../wire/errors.ts";

/** chown(2): leaves it. */
export const unchanged = -1;

/**
 * Ids for names or numbers; `unchanged` for "". A name that looks like a number is a name; a number needs no user that has
 * it. Throws CodedError: noSuchUser, noSuchGroup.
 */
export async function ownerIds(owner: string, group: string): Promise<{ uid: number; gid: number }> {
  if (process.platform === "win32") requireNone(owner, group);
  const [uid, gid] = await Promise.all([
    idOf(owner, "noSuchUser", async () => (await lookUp("user", owner))?.uid),
    idOf(group, "noSuchGroup", async () => (await lookUp("group", group))?.gid),
  ]);
  return { uid, gid };
}

/** Whose a file is on Windows, and who may read it, is a matter of its access list, which the agent leaves as it is. */
function requireNone(owner: string, group: string): void {
  if (owner === "" && group === "") return;
  const code = owner === "" ? "noSuchGroup" : "noSuchUser";
  throw new CodedError(code, "on Windows the owner of a file is not changed; leave owner and group out");
}

async function idOf(
  name: string,
  code: "noSuchUser" | "noSuchGroup",
  find: () => Promise<number | undefined>,
): Promise<number> {
  if (name === "") return unchanged;
  const kind = code === "noSuchUser" ? "user" : "group";
  if (name.includes("\0")) throw new CodedError(code, `a ${kind} cannot have a NUL byte in its name`);
  const id = await find();
  if (id !== undefined) return id;
  if (isNumber(name)) return Number(name);
  throw new CodedError(code, `there is no ${kind} ${name}`);
}
