import path from "node:path";
import { close } from "./io.ts";
import { isErrno } from "./file-error.ts";
import { type FileStats, system } from "./system/index.ts";

import { pathOf } from "./system/linux.ts";

export { pathOf };

/**
 * A folder that is open: what is done by its names is done in it and nowhere else, whoever renames it or puts a link in its
 * way meanwhile. Close it.
 */
export class Folder {
  /** Without links. */
  readonly realPath: string;
  readonly fd: number;

  private constructor(fd: number, realPath: string) {
    this.fd = fd;
    this.realPath = realPath;
  }

  /** Links are followed. Rejects with the system's error: ENOTDIR. */
  static async open(folder: string): Promise<Folder> {
    return await Folder.#from(await system.openFolder(folder));
  }

  static async #from(fd: number): Promise<Folder> {
    try {
      return new Folder(fd, await system.realPathOf(fd));
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /** The same once more. */
  async duplicate(): Promise<Folder> {
    return await Folder.#from(await system.duplicate(this.fd));
  }

  /** On Linux: one of its entries, for Node's functions. Those that follow a link at the end do so here too. */
  at(name: string): string {
    return `${pathOf(this.fd)}/${name}`;
  }

  /** The real path of an entry that is no link. */
  placeOf(name: string): string {
    return path.join(this.realPath, name);
  }

  /** A folder in it. A link is not followed: ENOTDIR. */
  async enter(name: string): Promise<Folder> {
    return await Folder.#from(await system.enter(this, name));
  }

  /** Enters a folder in it, which is made if it is not there. */
  async make(name: string, mode: number): Promise<Folder> {
    await system.mkdir(this, name, mode).catch((error: unknown) => {
      if (!isErrno(error, "EEXIST")) throw error;
    });
    return await this.enter(name);
  }

  /** What one of its entries is, a link itself. */
  lstat(name: string): Promise<FileStats> {
    return system.lstat(this, name);
  }

  /** As open(2), but without following a link. */
  open(name: string, flags: number, mode?: number): Promise<number> {
    return system.open(this, name, flags, mode);
  }

  /** Removes a file or link of it. */
  unlink(name: string): Promise<void> {
    return system.unlink(this, name);
  }

  /** Gives one of its entries another name in it, which replaces a file there. */
  rename(name: string, newName: string): Promise<void> {
    return system.rename(this, name, this, newName);
  }

  /** Afterwards what was made, renamed or removed in it is on disk. */
  sync(): Promise<void> {
    return system.syncFolder(this);
  }

  close(): void {
    close(this.fd);
  }
}

/** What folders that are made on the way get. */
const parentMode = 0o755;

/**
 * The folder that `file` is in, and its name there. With `create`, missing ones are made: `check` is first asked about
 * the real path that `file` will have. The caller closes the folder. Rejects with the system's error.
 */
export async function openParent(
  file: string,
  { create, check }: { create: boolean; check: (place: string) => Promise<void> },
): Promise<{ folder: Folder; name: string }> {
  const name = path.basename(file);
  const parent = path.dirname(file);
  const found = create ? await deepestThereIs(parent) : { folder: await Folder.open(parent), missing: [] };
  let { folder } = found;
  try {
    const place = found.missing.length > 0 ? path.join(folder.realPath, ...found.missing, name) : undefined;
    await check(place ?? (await system.placeOf(folder, name)));
    for (const part of found.missing) {
      const inner: Folder = await folder.make(part, parentMode);
      folder.close();
      folder = inner;
    }
    return { folder, name };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** The deepest folder on the way to `wanted` that is there, and the names of those that are missing below it. */
async function deepestThereIs(wanted: string): Promise<{ folder: Folder; missing: string[] }> {
  const missing: string[] = [];
  for (let at = wanted; ; at = path.dirname(at)) {
    try {
      return { folder: await Folder.open(at), missing };
    } catch (error) {
      if (!isErrno(error, "ENOENT") || at === path.dirname(at)) throw error;
      missing.unshift(path.basename(at));
    }
  }
}
