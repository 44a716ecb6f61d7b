import type { Time } from "../../native/files.ts";
import type { TarEntry } from "./tar-entry.ts";

export interface Owner {
  uid: number;
  gid: number;
}

/** What something gets besides its contents; what is undefined stays as it is. */
export interface Attributes {
  mode: number;
  owner: Owner | undefined;
  modified: Time | undefined;
}

/** Who owns what is unpacked: `owner` if there is one, with `keepOwner` whom the stream says, else the agent. */
export interface Ownership {
  owner?: Owner | undefined;
  keepOwner: boolean;
}

export function attributesOf(entry: TarEntry, { owner, keepOwner }: Ownership): Attributes {
  const { mode, uid, gid, modified } = entry;
  return { mode, owner: owner ?? (keepOwner ? { uid, gid } : undefined), modified };
}
