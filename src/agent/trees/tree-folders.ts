import { CodedError } from "../../wire/errors.ts";
import { fileError, isErrno } from "../files/file-error.ts";
import type { Folder } from "../files/folder.ts";
import { system } from "../files/system/index.ts";
import type { Attributes, Owner } from "./attributes.ts";
import { FileSystems } from "./file-systems.ts";
import { OpenFolders, type SharedFolder } from "./open-folders.ts";
import type { Tasks } from "./tasks.ts";

/** Of folders that the stream has in the names of others only. */
const impliedMode = 0o755;

/** While it is being filled nobody else gets in. */
const newMode = 0o700;

/** Of paths whose attributes are remembered, in UTF-16 units. */
const mostRemembered = 4 * 1024 * 1024;

/**
 * The folders of a tree that is being unpacked. Each is entered from the one above, without following a link. What a
 * folder gets, it gets when the stream has left it and nothing is written in it any more, as that would change its time,
 * or might not be allowed any more; and again when the stream has come back to it.
 */
export class TreeFolders {
  readonly #folders: OpenFolders;
  readonly #tasks: Tasks;
  /** Of what is made for names of others. */
  readonly #impliedOwner: Owner | undefined;
  readonly #attributes = new Map<string, Attributes>();
  #remembered = 0;
  readonly fileSystems = new FileSystems();

  private constructor(folders: OpenFolders, tasks: Tasks, impliedOwner: Owner | undefined) {
    this.#folders = folders;
    this.#tasks = tasks;
    this.#impliedOwner = impliedOwner;
  }

  static async below(top: Folder, tasks: Tasks, impliedOwner: Owner | undefined): Promise<TreeFolders> {
    const folders = new TreeFolders(await OpenFolders.below(top), tasks, impliedOwner);
    try {
      await folders.fileSystems.add((await folders.#folders.last()).folder);
      return folders;
    } catch (error) {
      folders.close();
      throw error;
    }
  }

  /** Whether enter() would stay where it is. */
  isIn(path: readonly string[]): boolean {
    return this.#folders.depth === path.length && this.#folders.commonWith(path) === path.length;
  }

  /** The folder, which is made if it is not there. Valid until the next enter(), or as long as it is retained. */
  async enter(path: readonly string[]): Promise<SharedFolder> {
    const common = this.#folders.commonWith(path);
    while (this.#folders.depth > common) await this.#leave();
    for (const name of path.slice(common)) await this.#down(name);
    return await this.#folders.last();
  }

  /** A folder that the stream has itself. */
  async make(path: readonly string[], attributes: Attributes): Promise<void> {
    await this.enter(path);
    this.#remember(path.join("/"), attributes);
  }

  /** A folder that must be there; the caller closes it. */
  async find(path: readonly string[]): Promise<Folder> {
    let folder = await this.#folders.duplicateTop();
    for (const name of path) {
      const above = folder;
      try {
        folder = await above.enter(name);
      } finally {
        above.close();
      }
    }
    return folder;
  }

  /** Leaves all of them. */
  async finish(): Promise<void> {
    while (this.#folders.depth > 0) await this.#leave();
    await this.#tasks.allEnded();
    this.#tasks.throwIfFailed();
    const attributes = this.#attributes.get("");
    if (attributes) await setAttributes((await this.#folders.last()).folder, attributes);
  }

  close(): void {
    this.#folders.close();
    this.fileSystems.close();
  }

  #remember(path: string, attributes: Attributes): void {
    if (!this.#attributes.has(path)) this.#remembered += path.length;
    this.#attributes.set(path, attributes);
  }

  async #down(name: string): Promise<void> {
    const path = [...this.#folders.names, name].join("/");
    await this.#tasks.ended(path); // a file of that name, or what was done on leaving it
    const { folder: above } = await this.#folders.last();
    const isNew = await system.mkdir(above, name, newMode).then(
      () => true,
      (error: unknown) => {
        if (isErrno(error, "EEXIST")) return false;
        throw fileError(error, `make the folder ${above.placeOf(name)}`);
      },
    );
    const folder = await above.enter(name).catch((error: unknown): never => {
      if (!isErrno(error, "ENOTDIR") && !isErrno(error, "ELOOP")) throw error;
      const text = `${above.placeOf(name)} is there and no folder; a link is not followed`;
      throw new CodedError("fileExists", text, { cause: error });
    });
    this.#folders.push(name, folder);
    await this.fileSystems.add(folder);
    if (isNew) {
      this.#remember(path, { mode: impliedMode, owner: this.#impliedOwner, modified: undefined });
    } else if (((this.#attributes.get(path)?.mode ?? newMode) & newMode) !== newMode) {
      await system.chmod(folder.fd, newMode); // for an agent that is not root
    }
  }

  async #leave(): Promise<void> {
    const path = this.#folders.names.join("/");
    const attributes = this.#attributes.get(path);
    if (attributes) {
      if (this.#remembered > mostRemembered) {
        this.#attributes.delete(path);
        this.#remembered -= path.length;
      }
      await this.#tasks.room();
      const shared = await this.#folders.last();
      const free = new Promise<Folder>((resolve) => {
        shared.atEnd(resolve);
      });
      this.#tasks.start([path], async () => {
        const folder = await free;
        try {
          await setAttributes(folder, attributes);
        } finally {
          folder.close();
        }
      });
    }
    this.#folders.pop();
  }
}

async function setAttributes(folder: Folder, { mode, owner, modified }: Attributes): Promise<void> {
  const { fd } = folder;
  try {
    if (owner) await system.chown(fd, owner.uid, owner.gid);
    await system.chmod(fd, mode);
    if (modified) await system.setModified(fd, modified);
  } catch (error) {
    throw fileError(error, `set what ${folder.realPath} gets`);
  }
}
