import { constants } from "node:fs";
import { readFile, rmdir, unlink } from "node:fs/promises";
import path from "node:path";
import { addon } from "../../native/addon.ts";
import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { fileError, isErrno } from "./file-error.ts";
import type { Task } from "./files.ts";
import { entryPath, openFolderAt, openParent, pathOf } from "./folder.ts";
import { close, fstat } from "./io.ts";
import { split } from "./listing.ts";

/** Entries that are looked at in one go. */
const batch = 1024;

/** Folders that are kept open on the way down; those further up are opened again on the way back. */
const mostOpen = 64;

/** Of a path in an error. */
const longestShown = 500;

/**
 * Removes a file, a link or an empty folder; with `recursive` a folder with all that is in it, in bounded memory and with
 * a bounded number of descriptors, however deep and large it is. No link is followed, and a mount point in it ends it
 * with an error that names it, and is left alone. Throws CodedError deleteFailed, writeBlocked, the task's reason when
 * it is cancelled, and the system's error.
 */
export async function remove(
  place: string,
  recursive: boolean,
  policy: PathPolicy,
  task: Task,
): Promise<void> {
  if (place === path.parse(place).root)
    throw new CodedError("deleteFailed", "the root folder cannot be deleted");
  const { folder, name } = await openParent(place, {
    create: false,
    check: (real) => policy.checkWrite(real),
  });
  try {
    if (await unlinked(folder.at(name))) {
      // It was no folder.
    } else if (recursive) {
      await new Removal(place, task).run(folder.fd, Buffer.from(name));
    } else {
      await rmdir(folder.at(name)).catch((error: unknown) => {
        if (!isErrno(error, "ENOTEMPTY")) throw error;
        throw new CodedError("deleteFailed", `cannot delete ${place}: the folder is not empty (ENOTEMPTY)`);
      });
    }
    await folder.sync();
  } finally {
    folder.close();
  }
}

/** False when it is a folder: Linux says EISDIR then, some file systems EPERM. */
async function unlinked(at: string): Promise<boolean> {
  try {
    await unlink(at);
    return true;
  } catch (error) {
    if (isErrno(error, "EISDIR")) return false;
    if (!isErrno(error, "EPERM")) throw error;
    const flags = constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const fd = await openFolderAt(at, flags).catch(() => undefined);
    if (fd === undefined) throw error;
    close(fd);
    return false;
  }
}

/** A folder on the way down to the one that is being emptied. */
interface Level {
  readonly name: Buffer;
  readonly dev: bigint;
  readonly ino: bigint;
  /** -1: closed, to be opened again from the one below. */
  fd: number;
  /** Those in it that are known. */
  folders: Buffer[];
}

class Removal {
  readonly #place: string;
  readonly #task: Task;
  readonly #levels: Level[] = [];
  #mount = "";

  constructor(place: string, task: Task) {
    this.#place = place;
    this.#task = task;
  }

  async run(parent: number, name: Buffer): Promise<void> {
    this.#mount = await mountOf(parent);
    try {
      await this.#enter(parent, name);
      for (let level = this.#levels.at(-1); level; level = this.#levels.at(-1)) {
        this.#task.signal.throwIfAborted();
        const inner = level.folders.pop();
        if (inner !== undefined) await this.#enter(level.fd, inner);
        else if (await this.#isEmpty(level)) await this.#leave(level, parent);
        this.#task.alive();
      }
    } finally {
      for (const { fd } of this.#levels) if (fd >= 0) close(fd);
    }
  }

  /** What is no folder any more is met, as what it is, when its folder is read again. */
  async #enter(parent: number, name: Buffer): Promise<void> {
    let fd: number;
    try {
      fd = await openFolderAt(entryPath(parent, name), constants.O_NOFOLLOW);
    } catch (error) {
      if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR") || isErrno(error, "ELOOP")) return;
      throw fileError(error, `delete ${this.#pathOf(name)}`, "deleteFailed");
    }
    try {
      const { dev, ino } = await fstat(fd);
      if ((await mountOf(fd)) !== this.#mount) {
        throw new CodedError(
          "deleteFailed",
          `cannot delete ${this.#pathOf(name)}: something is mounted there; unmount it first`,
        );
      }
      this.#levels.push({ name, dev, ino, fd, folders: [] });
    } catch (error) {
      close(fd);
      throw error;
    }
    const far = this.#levels.at(-1 - mostOpen);
    if (far && far.fd >= 0) {
      close(far.fd);
      far.fd = -1;
      far.folders = []; // they are read again: memory for all of them has no bound
    }
  }

  async #isEmpty(level: Level): Promise<boolean> {
    try {
      const { folders, seen } = await addon.removeFiles(pathOf(level.fd), batch);
      level.folders = split(folders);
      return seen === 0;
    } catch (error) {
      const { path: name } = error as NodeJS.ErrnoException;
      throw fileError(error, `delete ${this.#pathOf(name)}`, "deleteFailed");
    }
  }

  async #leave(level: Level, top: number): Promise<void> {
    const upper = this.#levels.at(-2);
    if (upper && upper.fd < 0) await this.#openAgain(upper, level);
    try {
      await rmdir(entryPath(upper?.fd ?? top, level.name));
    } catch (error) {
      // Somebody was faster, or puts something in; then it is read again.
      if (!isErrno(error, "ENOENT") && !isErrno(error, "ENOTEMPTY")) {
        throw fileError(error, `delete ${this.#pathOf()}`, "deleteFailed");
      }
      if (upper === undefined && isErrno(error, "ENOTEMPTY")) return;
    }
    this.#levels.pop();
    close(level.fd);
  }

  async #openAgain(upper: Level, below: Level): Promise<void> {
    const fd = await openFolderAt(`${pathOf(below.fd)}/..`);
    const { dev, ino } = await fstat(fd);
    if (dev === upper.dev && ino === upper.ino) {
      upper.fd = fd;
      return;
    }
    close(fd);
    throw new CodedError("deleteFailed", `cannot delete ${this.#pathOf()}: it was moved meanwhile`);
  }

  /** For errors; cut where it is too long. */
  #pathOf(name?: Buffer | string): string {
    const inner = this.#levels.slice(1).map((level) => level.name.toString());
    if (this.#levels.length > 0 && name !== undefined) inner.push(name.toString());
    const whole = path.join(this.#place, ...inner);
    return whole.length <= longestShown ? whole : `${whole.slice(0, longestShown)}…`;
  }
}

/** The number of the mount that an open descriptor is in. A bind mount is another one in the same file system. */
async function mountOf(fd: number): Promise<string> {
  const facts = await readFile(`/proc/self/fdinfo/${fd}`, "utf8");
  const id = /^mnt_id:\s*(\d+)$/m.exec(facts)?.[1];
  if (id === undefined)
    throw new CodedError("deleteFailed", "this kernel does not tell what is mounted where");
  return id;
}
