import { CodedError } from "../../wire/errors.ts";
import { isErrno } from "../files/file-error.ts";
import type { Folder } from "../files/folder.ts";
import { type FolderEntry, system } from "../files/system/index.ts";
import { OpenFolders, type SharedFolder } from "./open-folders.ts";
import type { Piece } from "./piece.ts";
import { batchFiles, readFilePieces, type ReadOptions } from "./read-files.ts";
import { isText, type ReadCheck, readLinkPiece } from "./read-piece.ts";
import type { Skipped } from "./skipped.ts";

/** Folders with fewer entries are sorted. */
const mostSorted = 10_000;

/** Of folders that have been seen and not entered yet. */
const mostPendingBytes = 32 * 1024 * 1024;

/** In V8: a string, and its place in an array. */
const bytesOf = (name: string): number => 32 + 2 * name.length;

export interface WalkOptions {
  check: ReadCheck;
  skipped: Skipped;
  signal: AbortSignal;
}

/** Reads some pieces; what is left out is told already. */
export type ReadPieces = () => Promise<Piece[]>;

/**
 * All of a tree, as what reads it: each folder, then what else is in it, then the folders in it, depth first. Several
 * may be read at a time. Links are not followed, and other mounts not entered. Rejects when the top cannot be read.
 */
export class Walk {
  readonly #folders: OpenFolders;
  readonly #options: WalkOptions;
  /** Folders that are to be entered: those in one folder, last first. */
  readonly #pending: { parent: readonly string[]; names: string[] }[] = [];
  #pendingBytes = 0;
  #mount = "";

  private constructor(folders: OpenFolders, options: WalkOptions) {
    this.#folders = folders;
    this.#options = options;
  }

  static async *pieces(top: Folder, options: WalkOptions): AsyncGenerator<ReadPieces, void> {
    const folders = await OpenFolders.below(top);
    try {
      const { folder } = await folders.last();
      const walk = new Walk(folders, options);
      walk.#mount = await system.mountOf(folder.fd);
      await options.check(folder.realPath, await system.fstat(folder.fd));
      yield* walk.#inside([]);
      for (let path = walk.#next(); path; path = walk.#next()) {
        options.signal.throwIfAborted();
        if (await walk.#enter(path)) yield* walk.#inside(path);
      }
    } finally {
      folders.close();
    }
  }

  #next(): string[] | undefined {
    for (let last = this.#pending.at(-1); last; last = this.#pending.at(-1)) {
      const name = last.names.pop();
      if (name !== undefined) {
        this.#pendingBytes -= bytesOf(name);
        return [...last.parent, name];
      }
      this.#pending.pop();
    }
    return undefined;
  }

  /** False when it is left out. */
  async #enter(path: readonly string[]): Promise<boolean> {
    const { check, skipped } = this.#options;
    const common = this.#folders.commonWith(path);
    while (this.#folders.depth > common) this.#folders.pop();
    const name = path.at(-1) ?? "";
    let folder: Folder | undefined;
    try {
      folder = await (await this.#folders.last()).folder.enter(name);
      if ((await system.mountOf(folder.fd)) !== this.#mount) {
        skipped.add(path.join("/"), "another file system");
      } else {
        await check(folder.realPath, await system.fstat(folder.fd));
        this.#folders.push(name, folder);
        folder = undefined;
        return true;
      }
    } catch (error) {
      if (!isErrno(error, "ENOENT")) skipped.addError(path.join("/"), error);
    } finally {
      folder?.close();
    }
    return false;
  }

  /** The folder that was entered last, and what is in it. */
  async *#inside(path: readonly string[]): AsyncGenerator<ReadPieces, void> {
    const { skipped, signal } = this.#options;
    const shared = (await this.#folders.last()).retain();
    try {
      const stats = await system.fstat(shared.folder.fd);
      const name = path.join("/");
      yield () => Promise.resolve([{ name, stats, type: "directory" }]);
      const folders: string[] = [];
      const nameOf = (entry: string): string => (name === "" ? entry : `${name}/${entry}`);
      const listedIn = { folderDevice: stats.dev, mount: this.#mount };
      const options: ReadOptions = { ...this.#options, nameOf, listed: listedIn };
      try {
        for await (const entries of listed(shared.folder)) {
          let files: string[] = [];
          for (const entry of entries) {
            signal.throwIfAborted();
            if (!isText(entry.name)) {
              skipped.add(nameOf(entry.name), "its name is not UTF-8");
            } else if (entry.isDirectory()) {
              if (!this.#keep(entry.name, folders))
                skipped.add(nameOf(entry.name), "too many folders in one");
            } else if (entry.isFile()) {
              files.push(entry.name);
              if (files.length < batchFiles) continue;
              yield reading(shared, files, options);
              files = [];
            } else {
              if (files.length > 0) yield reading(shared, files, options);
              files = [];
              yield readingLink(shared, entry, options);
            }
          }
          if (files.length > 0) yield reading(shared, files, options);
        }
      } catch (error) {
        if (signal.aborted || path.length === 0) throw error;
        skipped.addError(name, error);
      }
      if (folders.length <= mostSorted) folders.sort();
      this.#pending.push({ parent: path, names: folders.reverse() });
    } finally {
      shared.release();
    }
  }

  #keep(name: string, folders: string[]): boolean {
    if (this.#pendingBytes + bytesOf(name) > mostPendingBytes) return false;
    this.#pendingBytes += bytesOf(name);
    folders.push(name);
    return true;
  }
}

function reading(shared: SharedFolder, entries: readonly string[], options: ReadOptions): ReadPieces {
  return async () => {
    shared.retain();
    try {
      return await readFilePieces(shared, entries, options);
    } finally {
      shared.release();
    }
  };
}

function readingLink(
  shared: SharedFolder,
  entry: FolderEntry,
  { check, skipped, nameOf }: ReadOptions,
): ReadPieces {
  const name = nameOf(entry.name);
  return async () => {
    shared.retain();
    try {
      if (!entry.isSymbolicLink()) throw new CodedError("notAFile", whatIs(entry));
      return [await readLinkPiece(shared, entry.name, name, check)];
    } catch (error) {
      if (!isErrno(error, "ENOENT")) skipped.addError(name, error);
      return [];
    } finally {
      shared.release();
    }
  };
}

/** What is in a folder, sorted unless it is too much. */
async function* listed(folder: Folder): AsyncGenerator<FolderEntry[], void> {
  let entries: FolderEntry[] = [];
  let isFirst = true;
  for await (const entry of system.entries(folder)) {
    entries.push(entry);
    if (entries.length < mostSorted) continue;
    yield entries;
    entries = [];
    isFirst = false;
  }
  if (isFirst) entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  yield entries;
}

function whatIs(entry: FolderEntry): string {
  return entry.isFIFO() ? "a FIFO" : entry.isSocket() ? "a socket" : "a device";
}
