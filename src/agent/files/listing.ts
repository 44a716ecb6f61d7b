import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { type Entry, entryOf } from "./entry.ts";
import { isErrno } from "./file-error.ts";
import type { Task } from "./files.ts";
import { Folder } from "./folder.ts";
import type { Names } from "./names.ts";
import { longestNameBytes } from "./path.ts";
import { type FileStats, system } from "./system/index.ts";

/** Beside what fits in this much. */
export const mostEntries = 10_000;
const mostBytes = 4 * 1024 * 1024;

/** What an entry takes besides its texts; rather too much than too little. */
const entryBytes = 200;

/** Looked at in one hop to a thread: the targets of so many links have 2 MiB at the most. */
const namesAtOnce = 512;

export interface Page {
  entries: Entry[];
  /** Opaque; empty when this is the last. */
  next: string;
  /** In the whole folder. */
  total: number;
}

/**
 * A page of a folder in the order of its names' bytes. The token is the last name, so that the pages after it are right
 * whatever is made and removed meanwhile: what was there all the time is in exactly one. Names that are no UTF-8 are
 * shown with U+FFFD, as the protocol's strings can say no more; such a path cannot be asked for. Throws CodedError
 * invalidMessage for a token that is none, readBlocked, and the system's error.
 */
export async function listFolder(
  { place, after, most, hidden }: { place: string; after: string; most: number; hidden: boolean },
  policy: PathPolicy,
  names: Names,
  task: Task,
): Promise<Page> {
  const last = lastNameOf(after);
  const folder = await Folder.open(place);
  try {
    await policy.checkRead(folder.realPath);
    // One more tells whether there are more.
    const { names: found, total } = await system.readNames(folder, last, most + 1, hidden);
    const entries: Entry[] = [];
    const asked = Math.min(found.length, most);
    let done = 0;
    for (let bytes = 0; done < asked && bytes < mostBytes;) {
      task.signal.throwIfAborted();
      const batch = found.slice(done, Math.min(done + namesAtOnce, asked));
      for (const entry of await entriesAt(folder, batch, place, names)) {
        if (bytes >= mostBytes) break;
        done++;
        if (entry === undefined) continue; // it has gone meanwhile
        entries.push(entry);
        bytes += entryBytes + 3 * (entry.name?.length ?? 0) + 3 * (entry.path?.length ?? 0);
        bytes += 3 * (entry.symlinkTarget?.length ?? 0);
      }
      task.alive();
    }
    const next = done < found.length ? (found[done - 1]?.toString("base64url") ?? "") : "";
    return { entries, next, total };
  } finally {
    folder.close();
  }
}

function lastNameOf(token: string): Buffer {
  const name = Buffer.from(token, "base64url");
  if (token === "" || (name.length > 0 && name.length <= longestNameBytes && !name.includes("/")))
    return name;
  throw new CodedError("invalidMessage", "not a continuation_token of an earlier answer");
}

async function entriesAt(
  folder: Folder,
  batch: readonly Buffer[],
  place: string,
  names: Names,
): Promise<(Entry | undefined)[]> {
  const owners = new Map<string, { owner: string; group: string }>();
  const entries: (Entry | undefined)[] = [];
  for (const [index, listed] of (await system.list(folder, batch)).entries()) {
    if (listed === undefined) {
      entries.push(undefined);
      continue;
    }
    const { facts, symlinkTarget } = listed;
    const key = `${facts.uid} ${facts.gid} ${facts.ownerSid} ${facts.groupSid}`;
    const owner = owners.get(key) ?? (await names.of(facts));
    owners.set(key, owner);
    const text = batch[index]?.toString() ?? "";
    entries.push(entryOf({ name: text, path: path.join(place, text), symlinkTarget }, facts, owner));
  }
  return entries;
}

/** What is at a path; itself, or what it leads to. Nothing of it is read. Rejects with the system's error. */
export async function entryOfPath(place: string, follow: boolean, names: Names): Promise<Entry> {
  const folder = await Folder.open(path.dirname(place));
  try {
    const name = path.basename(place);
    if (name === "") return entryOf({ name: place, path: place }, ...(await ownersOf(folder.fd, names)));
    for (;;) {
      const stats = await (follow ? system.stat(folder, name) : folder.lstat(name));
      try {
        const symlinkTarget = stats.isSymbolicLink() ? await system.readlink(folder, name) : "";
        return entryOf({ name, path: place, symlinkTarget }, stats, await names.of(stats));
      } catch (error) {
        if (!isErrno(error, "EINVAL")) throw error; // not a link any more
      }
    }
  } finally {
    folder.close();
  }
}

/** Of the root. */
async function ownersOf(fd: number, names: Names): Promise<[FileStats, { owner: string; group: string }]> {
  const stats = await system.fstat(fd);
  return [stats, await names.of(stats)];
}
