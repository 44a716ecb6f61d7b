import fs from "node:fs";
import { promisify } from "node:util";
import { addon } from "../../../native/addon.ts";
import { atEnd, option } from "../../../native/files-win32.ts";
import type { TreeRemoval } from "../../../native/files.ts";
import { isErrno } from "../file-error.ts";
import { close } from "../io.ts";
import { parts } from "./win32-entries.ts";
import { openIn, systemError, toLook } from "./win32-open.ts";
import { statsOf } from "./win32-stats.ts";
import type { OpenFolder } from "./types.ts";

const closed = promisify(fs.close);

const mostOpen = 64;
const stepMs = 50;

/** Removed at a time. */
const atOnce = 4;

/** Looks at a folder that should be empty by now. */
const mostRounds = 100;

const inner = { ...toLook, options: option.folder, atEnd: atEnd.refuse };

interface Level {
  name: string;
  /** Closed when it is far up. */
  fd: number | undefined;
  identity: string;
  /** Those in it that are known. */
  folders: string[];
  rounds: number;
}

/** See RemoveTree. */
export function removeTree(parent: OpenFolder, name: string): TreeRemoval {
  return new Removal(parent.fd, name);
}

/** Removes a folder with all that is in it, the deepest first. Links are removed themselves. */
class Removal implements TreeRemoval {
  readonly #parent: number;
  readonly #name: string;
  readonly #levels: Level[] = [];
  #begun = false;

  constructor(parent: number, name: string) {
    this.#parent = parent;
    this.#name = name;
  }

  async step(): Promise<boolean> {
    const until = performance.now() + stepMs;
    if (!this.#begun) await this.#enter(this.#parent, this.#name);
    this.#begun = true;
    for (let level = this.#levels.at(-1); level && performance.now() < until; level = this.#levels.at(-1)) {
      const folder = level.folders.pop();
      if (folder !== undefined) await this.#enter(await this.#open(level), folder);
      else if (await this.#empty(level)) await this.#leave(level);
    }
    return this.#levels.length === 0;
  }

  close(): void {
    for (const level of this.#levels) forget(level);
  }

  /** What is no folder any more is met, as what it is, when its parent is read again. */
  async #enter(parent: number, name: string): Promise<void> {
    let fd: number;
    try {
      fd = await openIn(parent, name, inner);
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return;
      throw this.#told(error, name);
    }
    this.#levels.push({ name, fd, identity: await identityOf(fd), folders: [], rounds: 0 });
    const far = this.#levels.at(-1 - mostOpen);
    if (far === undefined) return;
    forget(far);
    far.folders = []; // they are read again: memory for all of them would have no bound
  }

  /** Removes what is no folder, as far as one reading goes; tells whether nothing was there. */
  async #empty(level: Level): Promise<boolean> {
    const fd = await this.#open(level);
    for await (const part of parts(fd)) {
      const others: string[] = [];
      for (const entry of part) (entry.isDirectory() ? level.folders : others).push(entry.name);
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          for (let name = others.pop(); name !== undefined; name = others.pop()) await this.#remove(fd, name);
        }),
      );
      if (level.folders.length === 0 && ++level.rounds > mostRounds)
        throw this.#told(systemError("EBUSY", "files stay that were removed"), "");
      return false;
    }
    return true;
  }

  async #remove(fd: number, name: string): Promise<void> {
    try {
      await addon.removeIn(fd, name, false);
    } catch (error) {
      // A folder by now is met when this one is read again.
      if (!isErrno(error, "ENOENT", "EISDIR")) throw this.#told(error, name);
    }
  }

  async #leave(level: Level): Promise<void> {
    const upper = this.#levels.at(-2);
    const parent = upper ? await this.#open(upper) : this.#parent;
    const { fd } = level;
    level.fd = undefined;
    if (fd !== undefined) await closed(fd); // it is gone when nobody has it open
    try {
      await addon.removeIn(parent, level.name, true);
      this.#levels.pop();
    } catch (error) {
      if (isErrno(error, "ENOENT")) this.#levels.pop();
      // Somebody has put something in, or what was removed is not gone yet: it is read again.
      else if (!isErrno(error, "ENOTEMPTY") || ++level.rounds > mostRounds) throw this.#told(error, "");
    }
  }

  /** The level's folder, by way of all those above it if need be. */
  async #open(level: Level): Promise<number> {
    if (level.fd !== undefined) return level.fd;
    const names = this.#levels.slice(0, this.#levels.indexOf(level) + 1).map(({ name }) => name);
    const fd = await openIn(this.#parent, names.join("\\"), inner);
    if ((await identityOf(fd)) === level.identity) {
      level.fd = fd;
      return fd;
    }
    close(fd);
    throw this.#told(systemError("EBUSY", "it was moved meanwhile"), "");
  }

  #told(error: unknown, name: string): Error {
    const inside = this.#levels.slice(1).map((level) => level.name);
    return Object.assign(error as Error, {
      path: [...inside, name].filter(Boolean).join("\\").slice(0, 500),
    });
  }
}

function forget(level: Level): void {
  if (level.fd !== undefined) close(level.fd);
  level.fd = undefined;
}

async function identityOf(fd: number): Promise<string> {
  const [stats] = await statsOf(fd);
  return stats ? `${stats.dev} ${stats.ino}` : "";
}
