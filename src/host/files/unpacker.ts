import { type FileHandle, link, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { HostError } from "../errors.ts";
import { isErrno, locally } from "./local-error.ts";
import { type LocalWork, doLater } from "./local-work.ts";
import { Pace } from "./pace.ts";
import {
  type EntryFacts,
  asideOf,
  finishFolder,
  freshMode,
  makeFolder,
  openFreshFlags,
  placeFile,
  placeLink,
  requireFolder,
} from "./placing.ts";
import { UnderWay } from "./under-way.ts";

/** A folder that was made here. It gets its mode when all that is in it has come: it may be read-only. */
interface MadeFolder extends EntryFacts {
  components: readonly string[];
}

/**
 * Makes files, folders and links below one folder, and never outside: each folder on the way to an entry is looked at,
 * and must be one and no link, whoever has put it there. Entries come one after the other; small files may be written at
 * the same time, if they are in the same folder.
 */
export class Unpacker {
  readonly #root: string;
  readonly #pace: Pace;
  readonly #underWay = new UnderWay();
  /** On the way to the last entry: known to be folders. */
  #way: readonly string[] = [];
  /** Those of the root and of the folders on the way. */
  readonly #devices: bigint[];
  /** On the way to the last entry, outermost first. */
  readonly #made: MadeFolder[] = [];

  private constructor(root: string, device: bigint, pace: Pace) {
    this.#root = root;
    this.#pace = pace;
    this.#devices = [device];
  }

  /** `folder` is made if it is not there; a link to one is followed. */
  static async open(folder: string, pace = new Pace()): Promise<Unpacker> {
    return await locally(`write into ${folder}`, async () => {
      await mkdir(folder).catch((error: unknown) => {
        if (!isErrno(error, "EEXIST")) throw error;
      });
      // A slash, so that a link is followed.
      const stats = await lstat(`${folder}/`, { bigint: true });
      if (!stats.isDirectory()) throw new HostError("local-file", `${folder} is no folder of this host`);
      const unpacker = new Unpacker(folder, stats.dev, pace);
      await pace.enter(folder, stats.dev);
      return unpacker;
    });
  }

  /** One that is there stays as it is. */
  async folder(components: readonly string[], facts: EntryFacts): Promise<void> {
    if (components.length === 0) return;
    await this.#enter(components.slice(0, -1));
    await this.#underWay.ended();
    if (await this.#makeFolder(components, 0o700)) this.#made.push({ ...facts, components });
  }

  /** Makes a file with these contents, which must stay as they are. It may be there only after finish(). */
  async smallFile(components: readonly string[], facts: EntryFacts, content: Buffer): Promise<void> {
    const place = await this.#placeFor(components);
    const write = (): LocalWork<void> => placeFile(place, facts, content);
    if (this.#underWay.has(place)) await this.#underWay.ended();
    if (await this.#pace.turn()) {
      await locally(`write ${place}`, () => {
        this.#pace.now(write());
      });
    } else {
      await this.#underWay.start(place, () => locally(`write ${place}`, () => doLater(write())));
    }
  }

  /** `write` writes the contents. What was there is replaced when they are whole. */
  async file(
    components: readonly string[],
    { mode, modifiedAt }: EntryFacts,
    write: (file: FileHandle, place: string) => Promise<void>,
  ): Promise<void> {
    const place = await this.#placeFor(components);
    await this.#underWay.ended();
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
  async link(components: readonly string[], target: string, modifiedAt: number): Promise<void> {
    const place = await this.#placeFor(components);
    await this.#underWay.ended();
    await locally(`make the link ${place}`, () => this.#pace.run(placeLink(place, target, modifiedAt)));
  }

  /** Another name for a file of this tree. A file or link that was there is replaced. */
  async hardLink(components: readonly string[], to: readonly string[]): Promise<void> {
    const place = await this.#placeFor(components);
    await this.#underWay.ended();
    await locally(`make the link ${place}`, async () => {
      for (let depth = 1; depth < to.length; depth++) {
        const folder = this.#placeOf(to.slice(0, depth));
        requireFolder(folder, await lstat(folder));
      }
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
    await this.#enter([]);
    await this.#underWay.ended();
  }

  /** Resolves when nothing is written any more, whatever has come of it. */
  async stopped(): Promise<void> {
    await this.#underWay.ended().catch(() => undefined); // what failed first is told already
  }

  /** Where the entry goes, when the way to it is known. */
  async #placeFor(components: readonly string[]): Promise<string> {
    await this.#enter(components.slice(0, -1));
    return this.#placeOf(components);
  }

  /** Goes to a folder. Those on the way that did not come as entries are made. */
  async #enter(folder: readonly string[]): Promise<void> {
    const known = commonStart(this.#way, folder);
    if (known === folder.length && known === this.#way.length) return;
    await this.#underWay.ended();
    await this.#leave(folder);
    this.#way = this.#way.slice(0, known);
    for (let depth = known + 1; depth <= folder.length; depth++) {
      await this.#makeFolder(folder.slice(0, depth));
    }
    await this.#pace.enter(this.#placeOf(folder), this.#devices[folder.length] ?? -1n);
  }

  /** Makes a folder in the one that it is at, and goes there; false when it was there. */
  async #makeFolder(components: readonly string[], mode?: number): Promise<boolean> {
    const place = this.#placeOf(components);
    return await locally(`make the folder ${place}`, async () => {
      let device = this.#devices[this.#way.length] ?? -1n;
      const isNew = await this.#pace.run(makeFolder(place, mode));
      if (!isNew) {
        // Never in this thread: something may be mounted there that does not answer.
        const stats = await lstat(place, { bigint: true });
        requireFolder(place, stats);
        device = stats.dev;
      }
      this.#way = components;
      this.#devices[components.length] = device;
      await this.#pace.enter(place, device);
      return isNew;
    });
  }

  /** Folders that were made, and that `folder` is not in, get their mode and time. */
  async #leave(folder: readonly string[]): Promise<void> {
    for (let last = this.#made.at(-1); last; last = this.#made.at(-1)) {
      const { components } = last;
      if (commonStart(components, folder) === components.length) return;
      this.#made.pop();
      const place = this.#placeOf(components);
      await locally(`write ${place}`, () => this.#pace.run(finishFolder(place, last)));
    }
  }

  #placeOf(components: readonly string[]): string {
    return path.join(this.#root, ...components);
  }
}

/** A new file at `place`, or, when something is there, beside it. */
async function openFresh(place: string): Promise<{ file: FileHandle; at: string }> {
  try {
    return { file: await open(place, openFreshFlags, freshMode), at: place };
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    const at = asideOf(place);
    return { file: await open(at, openFreshFlags, freshMode), at };
  }
}

/** How many components two paths begin with alike. */
function commonStart(one: readonly string[], other: readonly string[]): number {
  const different = one.findIndex((component, index) => component !== other[index]);
  return different < 0 ? one.length : different;
}
