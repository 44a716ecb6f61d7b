import { addon } from "../../../native/addon.ts";
import { access, kind, option } from "../../../native/files-win32.ts";
import { close } from "../io.ts";
import { openIn, toLook } from "./win32-open.ts";
import type { FolderEntry, OpenFolder } from "./types.ts";

const toList = { ...toLook, access: access.readAttributes | access.readData, options: option.folder };

class Entry implements FolderEntry {
  readonly name: string;
  readonly #kind: number | undefined;

  constructor(name: string, kindOfEntry: number | undefined) {
    this.name = name;
    this.#kind = kindOfEntry;
  }

  isFile(): boolean {
    return this.#kind === kind.file;
  }

  isDirectory(): boolean {
    return this.#kind === kind.folder;
  }

  isSymbolicLink(): boolean {
    return this.#kind === kind.link;
  }

  isFIFO(): boolean {
    return false;
  }

  isSocket(): boolean {
    return false;
  }
}

/** What is in a folder, as the file system has it. */
export async function* entries({ fd }: OpenFolder): AsyncGenerator<Entry, void> {
  for await (const part of parts(fd)) yield* part;
}

/** A few hundred at a time. */
export async function* parts(folder: number): AsyncGenerator<Entry[], void> {
  // Where the reading is, is kept with the handle: this is for nobody else.
  const fd = await openIn(folder, "", toList);
  try {
    for (;;) {
      const { names, kinds } = await addon.readPart(fd);
      if (kinds.length === 0) return;
      yield names.split("\0").map((name, index) => new Entry(name, kinds[index]));
    }
  } finally {
    close(fd);
  }
}

/** The first `most` names behind `after`, in the order of their units, as far as `hidden` says. */
export async function readNames(
  { fd }: OpenFolder,
  after: Buffer,
  most: number,
  hidden: boolean,
): Promise<{ names: Buffer[]; total: number }> {
  const last = after.toString();
  let total = 0;
  let found: string[] = [];
  for await (const part of parts(fd)) {
    for (const { name } of part) {
      if (!hidden && name.startsWith(".")) continue;
      total++;
      if (last === "" || name > last) found.push(name);
    }
    if (found.length > 2 * most) found = firstOf(found, most);
  }
  return { names: firstOf(found, most).map((name) => Buffer.from(name)), total };
}

function firstOf(names: string[], most: number): string[] {
  return names.sort((a, b) => (a < b ? -1 : 1)).slice(0, most);
}
