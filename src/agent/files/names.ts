import { setMaxListeners } from "node:events";
import { addon } from "../../native/addon.ts";
import { withDeadline } from "../deadline.ts";
import type { Facts } from "./entry.ts";
import { Places } from "./places.ts";

const keptMs = 60_000;
const mostKept = 1024;

/** A directory server that is slower than that is not asked for a while: an entry has its numbers too. */
const deadlineMs = 2_000;
const restMs = 10_000;

/** The addon takes eight lookups at a time, for commands too. */
const mostAsked = 4;

type Kind = "user" | "group";

/** A number, or on Windows a SID. */
type Id = number | string;

async function lookUp(kind: Kind, id: Id): Promise<string | undefined> {
  if (typeof id === "string") return (await addon.accountName(id)) || undefined;
  return (await (kind === "user" ? addon.lookupUser(id) : addon.lookupGroup(id)))?.name;
}

/** Whose a file is: by number, or by SID where a system has those. */
type Owners = Pick<Facts, "uid" | "gid" | "ownerSid" | "groupSid">;

/** Names of users and groups by number, remembered for a minute; a number where there is no name. Never rejects. */
export class Names {
  readonly #kept = new Map<string, { name: Promise<string>; until: number }>();
  readonly #asking = new Places(mostAsked);
  readonly #never = new AbortController();
  #restUntil = 0;

  constructor() {
    setMaxListeners(0, this.#never.signal);
  }

  async of({ uid, gid, ownerSid, groupSid }: Owners): Promise<{ owner: string; group: string }> {
    const [owner, group] = await Promise.all([
      this.#name("user", ownerSid ?? Number(uid)),
      this.#name("group", groupSid ?? Number(gid)),
    ]);
    return { owner, group };
  }

  #name(kind: Kind, id: Id): Promise<string> {
    if (id === "") return Promise.resolve(""); // it is not told
    const key = `${kind} ${id}`;
    const now = performance.now();
    const known = this.#kept.get(key);
    if (known && now < known.until) return known.name;
    const resting = now < this.#restUntil;
    const name = resting ? Promise.resolve(String(id)) : this.#ask(kind, id);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < mostKept) break;
      this.#kept.delete(oldest);
    }
    this.#kept.delete(key);
    this.#kept.set(key, { name, until: resting ? this.#restUntil : now + keptMs });
    return name;
  }

  async #ask(kind: Kind, id: Id): Promise<string> {
    await this.#asking.take(this.#never);
    try {
      if (performance.now() < this.#restUntil) return String(id);
      return (await withDeadline(lookUp(kind, id), deadlineMs)) ?? String(id);
    } catch {
      // No name service, or one that is held up: the number is true all the same.
      this.#restUntil = performance.now() + restMs;
      this.#kept.delete(`${kind} ${id}`);
      return String(id);
    } finally {
      this.#asking.giveBack();
    }
  }
}
