import { addon } from "../../native/addon.ts";
import { withDeadline } from "../deadline.ts";

const deadlineMs = 2_000;

/** A tree has few owners; those beyond go by their number only. */
const mostKept = 1_000;

/** The header has room for so many bytes, and a NUL. */
const longestBytes = 31;

/** Names of users or groups, as a tar stream carries them beside the numbers. "" where there is none that fits. */
export class OwnerNames {
  readonly #lookUp: (id: number) => Promise<{ name: string } | undefined>;
  readonly #names = new Map<number, string>();
  #isSilent = false;

  constructor(kind: "user" | "group") {
    if (process.platform === "win32") this.#isSilent = true; // it has no numbers for them
    this.#lookUp = kind === "user" ? addon.lookupUser : addon.lookupGroup;
  }

  async of(id: number): Promise<string> {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    if (this.#isSilent || this.#names.size >= mostKept) return "";
    const name = await this.#ask(id);
    this.#names.set(id, name);
    return name;
  }

  async #ask(id: number): Promise<string> {
    try {
      const name = (await withDeadline(this.#lookUp(id), deadlineMs))?.name ?? "";
      return Buffer.byteLength(name) <= longestBytes ? name : "";
    } catch {
      this.#isSilent = true; // a directory server is away: the numbers are what counts
      return "";
    }
  }
}
