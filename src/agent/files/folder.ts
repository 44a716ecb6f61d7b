import { type PathLike, constants } from "node:fs";
import { mkdir, readlink } from "node:fs/promises";
import path from "node:path";
import { close, fsync, open } from "./io.ts";
import { isErrno } from "./file-error.ts";

// fcntl(2), the same on every Linux that Node runs on; Node does not name it.
const O_PATH = 0o10000000;

/** Opens what a path leads to without reading it: nothing waits, not for the other end of a FIFO, and no device notices. */
export function openPath(file: string, { follow }: { follow: boolean }): Promise<number> {
  return open(file, O_PATH | (follow ? 0 : constants.O_NOFOLLOW));
}

/** Opens a folder without reading it. */
export function openFolderAt(folder: PathLike, flags = 0): Promise<number> {
  return open(folder, O_PATH | constants.O_DIRECTORY | flags);
}

/** An entry of an open folder, by a name of any bytes. */
export function entryPath(folder: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${pathOf(folder)}/`), name]);
}

/** A path that leads to an open descriptor, whatever has become of the one that it was opened by. */
export function pathOf(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Where an open descriptor is: a path without links. */
export function realPathOf(fd: number): Promise<string> {
  return readlink(pathOf(fd));
}

/**
 * A folder that is open: what is done by at() is done in it and nowhere else, whoever renames it or puts a link in its
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
    return await Folder.#from(await open(folder, O_PATH | constants.O_DIRECTORY));
  }

  static async #from(fd: number): Promise<Folder> {
    try {
      return new Folder(fd, await realPathOf(fd));
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /** One of its entries, for Node's functions. Those that follow a link at the end do so here too. */
  at(name: string): string {
    return `${pathOf(this.fd)}/${name}`;
  }

  /** The same for a name that need be no UTF-8. */
  atBytes(name: Buffer): Buffer {
    return entryPath(this.fd, name);
  }

  /** The real path of an entry that is no link. */
  placeOf(name: string): string {
    return path.join(this.realPath, name);
  }

  /** A folder in it. A link is not followed: ENOTDIR. */
  async enter(name: string): Promise<Folder> {
    return await Folder.#from(
      await open(this.at(name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW),
    );
  }

  /** Enters a folder in it, which is made if it is not there. */
  async make(name: string, mode: number): Promise<Folder> {
    await mkdir(this.at(name), mode).catch((error: unknown) => {
      if (!isErrno(error, "EEXIST")) throw error;
    });
    return await this.enter(name);
  }

  /** Afterwards what was made, renamed or removed in it is on disk. */
  async sync(): Promise<void> {
    const fd = await open(pathOf(this.fd), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await fsync(fd);
    } finally {
      close(fd);
    }
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
    await check(path.join(folder.realPath, ...found.missing, name));
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
