import type { Folder } from "../files/folder.ts";

/** So many folders on the way down to one are open at a time; those above them are found again from the top. */
const mostOpen = 64;

/** A folder that stays open until the last of its users has released it. */
export class SharedFolder {
  readonly folder: Folder;
  #users = 1;
  #atEnd: ((folder: Folder) => void) | undefined;

  constructor(folder: Folder) {
    this.folder = folder;
  }

  get isShared(): boolean {
    return this.#users > 1;
  }

  retain(): this {
    this.#users++;
    return this;
  }

  /** What is done instead of closing it, and closes it, when nobody uses it any more. */
  atEnd(action: (folder: Folder) => void): void {
    this.#atEnd = action;
  }

  release(): void {
    if (--this.#users > 0) return;
    if (this.#atEnd) this.#atEnd(this.folder);
    else this.folder.close();
  }
}

/**
 * The folders on the way from the top of a tree down to one in it. Each was entered from the one above without following
 * a link, so that all are in the tree.
 */
export class OpenFolders {
  readonly #levels: { name: string; shared: SharedFolder | undefined }[] = [];
  readonly #top: SharedFolder;

  private constructor(top: SharedFolder) {
    this.#top = top;
  }

  /** Independent of `folder`, which may be closed afterwards. */
  static async below(folder: Folder): Promise<OpenFolders> {
    return new OpenFolders(new SharedFolder(await folder.duplicate()));
  }

  /** How far down it is; 0 at the top. */
  get depth(): number {
    return this.#levels.length;
  }

  /** Names from the top. */
  get names(): string[] {
    return this.#levels.map(({ name }) => name);
  }

  /** How much of the way to `names` is open. */
  commonWith(names: readonly string[]): number {
    const differs = this.#levels.findIndex(({ name }, index) => name !== names[index]);
    return differs === -1 ? this.#levels.length : differs;
  }

  /** The deepest; retain it to use it after push() or pop(). Rejects with the system's error if it has gone. */
  async last(): Promise<SharedFolder> {
    let above = this.#top;
    let from = this.#levels.findLastIndex(({ shared }) => shared !== undefined);
    if (from >= 0) above = this.#levels[from]?.shared ?? above;
    for (from++; from < this.#levels.length; from++) {
      const level = this.#levels[from];
      if (level === undefined) break;
      level.shared = above = new SharedFolder(await above.folder.enter(level.name));
      this.#closeSome(from);
    }
    return above;
  }

  /** The top once more; the caller closes it. */
  async duplicateTop(): Promise<Folder> {
    return await this.#top.folder.duplicate();
  }

  /** Goes down into `folder`, which was entered by `name` from last(), and belongs to this now. */
  push(name: string, folder: Folder): void {
    this.#levels.push({ name, shared: new SharedFolder(folder) });
    this.#closeSome(this.#levels.length - 1);
  }

  /** Goes up. */
  pop(): void {
    this.#levels.pop()?.shared?.release();
  }

  close(): void {
    while (this.#levels.length > 0) this.pop();
    this.#top.release();
  }

  /** Those in use stay, and `keep`; others are fewer than `mostOpen` afterwards. */
  #closeSome(keep: number): void {
    let left = this.#levels.filter(({ shared }) => shared !== undefined).length - mostOpen;
    for (const [index, level] of this.#levels.entries()) {
      if (left <= 0) return;
      if (index === keep || level.shared === undefined || level.shared.isShared) continue;
      level.shared.release();
      level.shared = undefined;
      left--;
    }
  }
}
