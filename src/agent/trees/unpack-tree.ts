import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import { fileError } from "../files/file-error.ts";
import type { Folder } from "../files/folder.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { attributesOf, type Ownership } from "./attributes.ts";
import { MadeFiles } from "./made-files.ts";
import { OneCase } from "./one-case.ts";
import { type Names, placeFile, placeLink, placeSymlink } from "./place-entry.ts";
import type { SharedFolder } from "./open-folders.ts";
import { SmallFiles } from "./small-files.ts";
import { tarEntries } from "./tar-entries.ts";
import type { TarEntry } from "./tar-entry.ts";
import { Tasks } from "./tasks.ts";
import { TreeFolders } from "./tree-folders.ts";

/** Files up to this size are kept in memory, and written while others are taken from the stream. */
const smallFileBytes = 64 * 1024;

/** So many folders, links and batches of small files at a time. */
const mostAtOnce = 16;

export interface UnpackOptions extends Ownership {
  policy: PathPolicy;
  signal: AbortSignal;
  /** How the names of files begin that are not in their places yet: like nobody else's. */
  prefix: string;
}

/**
 * Unpacks a tar stream (ustar, pax, GNU) below `folder`, which stays the caller's. Nothing outside is touched: names only
 * lead down, and no link is followed on the way, whether it was there or the stream made it. A file or link is in its
 * place, instead of one that was there, when it is whole; folders that are there are kept, and get the stream's mode and
 * time at the end, the top too if the stream has it ("./"). `entries`: how many files, folders and links the stream had,
 * the top not counted.
 *
 * When it resolves all is on disk. When it rejects, what was complete stays, and temporary files are gone; new folders
 * that the stream had not left stay closed to other users. Rejects with
 * CodedError: writeBlocked; those of tarEntries(); fileExists for a file or link where a folder must be; pathTraversal
 * for a hard link to what the stream has not made; those of fileError(); or with the signal's reason. `input` may be
 * asked for one more buffer then. Its buffers are kept for a while, and must stay as they are.
 */
export async function unpackTree(
  input: AsyncIterable<Buffer>,
  folder: Folder,
  options: UnpackOptions,
): Promise<{ entries: number }> {
  const { policy, signal } = options;
  // What is allowed is so with all below it, and nothing is written elsewhere.
  await policy.checkWrite(folder.realPath);
  const tasks = new Tasks(mostAtOnce);
  const folders = await TreeFolders.below(folder, tasks, options.owner);
  const tree = new Unpacking(folder.realPath, folders, tasks, options);
  try {
    for await (const entry of tarEntries(input, signal)) await tree.add(entry);
    tree.flush();
    await folders.finish();
    await folders.fileSystems.sync(signal);
    return { entries: tree.entries };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw fileError(error, `unpack into ${folder.realPath}`);
  } finally {
    tree.flush();
    folders.close(); // lets go of what was to be done on leaving them
    await tasks.allEnded();
  }
}

class Unpacking {
  readonly #top: string;
  readonly #folders: TreeFolders;
  readonly #tasks: Tasks;
  readonly #smallFiles: SmallFiles;
  readonly #options: UnpackOptions;
  readonly #made = new MadeFiles();
  readonly #case = process.platform === "win32" ? new OneCase() : undefined;
  #temporaries = 0;
  entries = 0;

  constructor(top: string, folders: TreeFolders, tasks: Tasks, options: UnpackOptions) {
    this.#top = top;
    this.#folders = folders;
    this.#tasks = tasks;
    this.#smallFiles = new SmallFiles(tasks);
    this.#options = options;
  }

  async add(entry: TarEntry): Promise<void> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    this.#case?.check(entry.path);
    await this.#tasks.room();
    const isSmall = entry.type === "file" && entry.sizeBytes <= smallFileBytes;
    const parent = entry.path.slice(0, -1);
    if (!isSmall || !this.#folders.isIn(parent)) this.#smallFiles.flush();
    if (entry.path.length > 0) this.entries++;
    const attributes = attributesOf(entry, this.#options);
    if (entry.type === "directory") {
      this.#requireOthers(entry.path);
      await this.#folders.make(entry.path, attributes);
      return;
    }
    const name = entry.path.join("/");
    this.#requireOthers(entry.path);
    const shared = await this.#folders.enter(parent);
    const names = {
      name: entry.path.at(-1) ?? "",
      temporary: `${this.#options.prefix}${++this.#temporaries}`,
    };
    switch (entry.type) {
      case "symlink":
        this.#start(name, shared, names, () => placeSymlink(shared.folder, names, entry.target, attributes));
        break;
      case "link":
        await this.#tasks.ended(entry.linkTo.join("/"));
        this.#start(name, shared, names, () => this.#link(shared, names, entry));
        this.#made.add(name);
        break;
      case "file":
        if (isSmall) {
          const content = await readAll(entry.content);
          this.#smallFiles.add(name, shared, { ...names, ...attributes, content });
        } else {
          await this.#tasks.ended(name);
          await told(shared, names, () => placeFile(shared.folder, names, attributes, entry.content));
        }
        this.#made.add(name);
    }
  }

  /** No link is followed on the way, so the name is the place. */
  #requireOthers(names: readonly string[]): void {
    this.#options.policy.checkOwn(path.join(this.#top, ...names));
  }

  /** What has been taken whole is put in its place, unless something has failed. */
  flush(): void {
    this.#smallFiles.flush();
  }

  #start(path: string, shared: SharedFolder, names: Names, work: () => Promise<void>): void {
    shared.retain();
    this.#tasks.start([path], async () => {
      try {
        await told(shared, names, work);
      } finally {
        shared.release();
      }
    });
  }

  async #link(shared: SharedFolder, names: Names, { linkTo }: TarEntry): Promise<void> {
    const target = linkTo.join("/");
    if (!this.#made.has(target)) {
      const why = this.#made.isFull
        ? "is not among the first million of this stream"
        : "is not of this stream";
      throw new CodedError("pathTraversal", `a hard link leads to ${target}, which ${why}`);
    }
    const folder = await this.#folders.find(linkTo.slice(0, -1));
    try {
      await placeLink(shared.folder, names, { folder, name: linkTo.at(-1) ?? "" });
    } finally {
      folder.close();
    }
  }
}

/** What goes wrong is told with the place. */
async function told({ folder }: SharedFolder, { name }: Names, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw fileError(error, `write ${folder.placeOf(name)}`);
  }
}

async function readAll(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  const [first = Buffer.alloc(0)] = parts;
  return parts.length > 1 ? Buffer.concat(parts) : first;
}
