import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  type FileHandle,
  chmod,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  rename,
  rm,
  symlink,
  utimes,
} from "node:fs/promises";
import path from "node:path";
import { HostError } from "../errors.ts";
import { isErrno, locally } from "./local-error.ts";

/** What an entry has besides its contents. Of the mode only the permission bits are taken. */
export interface EntryFacts {
  mode: number;
  modifiedAt: Date;
}

/** A folder that was made here. It gets its mode when all that is in it has come: it may be read-only. */
interface MadeFolder extends EntryFacts {
  components: readonly string[];
}

const fresh = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Makes files, folders and links below one folder, and never outside: each folder on the way to an entry is looked at,
 * and must be one and no link, whoever has put it there. Entries come one after the other.
 */
export class Unpacker {
  readonly #root: string;
  /** On the way to the last entry: known to be folders. */
  #way: readonly string[] = [];
  /** On the way to the last entry, outermost first. */
  #made: MadeFolder[] = [];

  private constructor(root: string) {
    this.#root = root;
  }

  /** `folder` is made if it is not there; a link to one is followed. */
  static async open(folder: string): Promise<Unpacker> {
    return await locally(`write into ${folder}`, async () => {
      await mkdir(folder).catch((error: unknown) => {
        if (!isErrno(error, "EEXIST")) throw error;
      });
      // A slash, so that a link is followed.
      if ((await lstat(`${folder}/`)).isDirectory()) return new Unpacker(folder);
      throw new HostError("local-file", `${folder} is no folder of this host`);
    });
  }

  /** One that is there stays as it is. */
  async folder(components: readonly string[], facts: EntryFacts): Promise<void> {
    const name = components.at(-1);
    if (name === undefined) return;
    await this.#enter(components.slice(0, -1));
    const place = this.#placeOf(components);
    await locally(`make the folder ${place}`, async () => {
      try {
        await mkdir(place, 0o700);
        this.#made.push({ ...facts, components });
      } catch (error) {
        if (!isErrno(error, "EEXIST")) throw error;
        await requireFolder(place);
      }
    });
    this.#way = components;
  }

  /** `write` writes the contents. What was there is replaced when they are whole. */
  async file(
    components: readonly string[],
    { mode, modifiedAt }: EntryFacts,
    write: (file: FileHandle, place: string) => Promise<void>,
  ): Promise<void> {
    await this.#enter(components.slice(0, -1));
    const place = this.#placeOf(components);
    const { file, at } = await locally(`write ${place}`, () => openFresh(place));
    try {
      await write(file, place);
      await locally(`write ${place}`, async () => {
        await file.chmod(mode & 0o777);
        await file.utimes(new Date(), modifiedAt);
        await file.close();
        if (at !== place) await rename(at, place);
      });
    } catch (error) {
      await file.close();
      await rm(at, { force: true });
      throw error;
    }
  }

  /** A link that says `target`, whatever that is. A file or link that was there is replaced. */
  async link(components: readonly string[], target: string, modifiedAt: Date): Promise<void> {
    await this.#enter(components.slice(0, -1));
    const place = this.#placeOf(components);
    await locally(`make the link ${place}`, async () => {
      const aside = asideOf(place);
      await symlink(target, aside);
      try {
        await lutimes(aside, new Date(), modifiedAt);
        await rename(aside, place);
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
    });
  }

  /** Another name for a file of this tree. A file or link that was there is replaced. */
  async hardLink(components: readonly string[], to: readonly string[]): Promise<void> {
    await this.#enter(components.slice(0, -1));
    const place = this.#placeOf(components);
    await locally(`make the link ${place}`, async () => {
      for (let depth = 1; depth < to.length; depth++) await requireFolder(this.#placeOf(to.slice(0, depth)));
      const target = this.#placeOf(to);
      if (!(await lstat(target)).isFile())
        throw new HostError("agent-error", `${target} is no file to link to`);
      const aside = asideOf(place);
      try {
        await link(target, aside);
        await rename(aside, place);
      } finally {
        await rm(aside, { force: true }); // it is left when both were the same already
      }
    });
  }

  /** All has come. */
  async finish(): Promise<void> {
    await this.#leave([]);
  }

  /** Goes to a folder. Those on the way that did not come as entries are made. */
  async #enter(folder: readonly string[]): Promise<void> {
    await this.#leave(folder);
    const known = commonStart(this.#way, folder);
    for (let depth = known + 1; depth <= folder.length; depth++) {
      const place = this.#placeOf(folder.slice(0, depth));
      await locally(`make the folder ${place}`, async () => {
        await mkdir(place).catch((error: unknown) => {
          if (!isErrno(error, "EEXIST")) throw error;
        });
        await requireFolder(place);
      });
    }
    this.#way = folder;
  }

  /** Folders that were made, and that `folder` is not in, get their mode and time. */
  async #leave(folder: readonly string[]): Promise<void> {
    for (let last = this.#made.at(-1); last; last = this.#made.at(-1)) {
      const { components, mode, modifiedAt } = last;
      if (commonStart(components, folder) === components.length) return;
      this.#made.pop();
      const place = this.#placeOf(components);
      await locally(`write ${place}`, async () => {
        await requireFolder(place); // these two follow links
        await chmod(place, mode & 0o777);
        await utimes(place, new Date(), modifiedAt);
      });
    }
  }

  #placeOf(components: readonly string[]): string {
    return path.join(this.#root, ...components);
  }
}

async function requireFolder(place: string): Promise<void> {
  if ((await lstat(place)).isDirectory()) return;
  throw new HostError("local-file", `${place} is in the way: it is no folder, and links are not followed`);
}

/** A new file at `place`, or, when something is there, beside it. */
async function openFresh(place: string): Promise<{ file: FileHandle; at: string }> {
  try {
    return { file: await open(place, fresh, 0o600), at: place };
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    const at = asideOf(place);
    return { file: await open(at, fresh, 0o600), at };
  }
}

function asideOf(place: string): string {
  return path.join(path.dirname(place), `.limiquantix-${randomBytes(9).toString("base64url")}.part`);
}

/** How many components two paths begin with alike. */
function commonStart(one: readonly string[], other: readonly string[]): number {
  const different = one.findIndex((component, index) => component !== other[index]);
  return different < 0 ? one.length : different;
}
