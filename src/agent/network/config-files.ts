import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, readdir, rename, unlink } from "node:fs/promises";
import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import { fileError, isErrno } from "../files/file-error.ts";
import { close, fchmod, fstat, fsync, open, read, writeAll } from "../files/io.ts";

export interface ConfigFile {
  /** Permission bits. */
  mode: number;
  content: string;
}

/** Files by their names in one folder. */
export type FileSet = ReadonlyMap<string, ConfigFile>;

/** Nobody's network takes more; a mistake is not read into memory. */
const maxFileBytes = 1024 * 1024;

/** As many as there may be interfaces, and more than there should be. */
const maxFiles = 1024;

/** Of what is not in its place yet. No network service reads such names. */
const temporary = /^\.limiquantix-network-[0-9a-f]{16}$/;

/**
 * The files of this agent in a folder of the system's, which only root can write: read and replaced as one set. One agent
 * killed between two of them leaves a mixture, so whoever replaces them has written down before what they were.
 */
export class ConfigFiles {
  readonly #folder: string;
  readonly #isOurs: (name: string) => boolean;

  /** `isOurs` tells by a name whether a file is one of the set. */
  constructor(
    root: string,
    /** Where they are in the guest. */
    readonly place: string,
    isOurs: (name: string) => boolean,
  ) {
    this.#folder = path.join(root, place);
    this.#isOurs = isOurs;
  }

  /** What there is. Rejects with CodedError: a link, or what is no regular file, is not read. */
  async read(): Promise<FileSet> {
    const names = (await this.#names()).filter(this.#isOurs).sort();
    if (names.length > maxFiles)
      throw new CodedError("network", `${this.place} has ${names.length} files of this agent`);
    const files = new Map<string, ConfigFile>();
    for (const name of names) {
      const file = await readConfigFile(path.join(this.#folder, name));
      if (file) files.set(name, file);
    }
    return files;
  }

  /**
   * Makes the set what `wanted` says; gives a line for each file that was written or removed. Each file is replaced as a
   * whole and is on disk afterwards. When it rejects, with a CodedError, before the first is in its place, nothing has changed.
   */
  async replace(wanted: FileSet): Promise<string[]> {
    const before = await this.read();
    const changed = [...wanted].filter(([name, file]) => !isSame(before.get(name), file));
    const dropped = [...before.keys()].filter((name) => !wanted.has(name));
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o755 });
      await this.#removeUnfinished();
      await this.#place(changed);
      for (const name of dropped) await unlink(path.join(this.#folder, name));
      if (changed.length + dropped.length > 0) await syncFolder(this.#folder);
    } catch (error) {
      throw fileError(error, `write the network configuration in ${this.place}`, "network");
    }
    const at = (name: string): string => path.join(this.place, name);
    return [...changed.map(([name]) => `wrote ${at(name)}`), ...dropped.map((name) => `removed ${at(name)}`)];
  }

  async #place(files: readonly (readonly [string, ConfigFile])[]): Promise<void> {
    const written: { from: string; to: string }[] = [];
    try {
      for (const [name, file] of files) {
        const from = path.join(this.#folder, `.limiquantix-network-${randomBytes(8).toString("hex")}`);
        written.push({ from, to: path.join(this.#folder, name) });
        await writeNew(from, file);
      }
      for (let next = written[0]; next; next = written[0]) {
        await rename(next.from, next.to);
        written.shift();
      }
    } finally {
      for (const { from } of written) await unlink(from).catch(ignoreAbsence);
    }
  }

  async #removeUnfinished(): Promise<void> {
    for (const name of await this.#names()) {
      if (temporary.test(name)) await unlink(path.join(this.#folder, name)).catch(ignoreAbsence);
    }
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (isErrno(error, "ENOENT")) return [];
      throw fileError(error, `read ${this.place}`, "network");
    }
  }
}

// Windows has none of these.
const { O_NOFOLLOW: noFollow = 0, O_NONBLOCK: noWait = 0 } = constants as Partial<typeof constants>;

/** Undefined when there is none. Rejects with CodedError for a link, unless `follow`, for what is no file, and for more than a MiB. */
export async function readConfigFile(file: string, { follow = false } = {}): Promise<ConfigFile | undefined> {
  let fd: number;
  try {
    fd = await open(file, constants.O_RDONLY | noWait | (follow ? 0 : noFollow));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw fileError(error, `read ${file}`, "network");
  }
  try {
    const stats = await fstat(fd);
    if (!stats.isFile()) throw new CodedError("network", `${file} is no regular file; remove it`);
    const content = Buffer.alloc(maxFileBytes + 1);
    let bytes = 0;
    for (let count = -1; count !== 0 && bytes < content.length; bytes += count) {
      count = await read(fd, content.subarray(bytes), bytes);
    }
    if (bytes > maxFileBytes) throw new CodedError("network", `${file} has more than ${maxFileBytes} bytes`);
    return { mode: Number(stats.mode) & 0o777, content: content.toString("utf8", 0, bytes) };
  } catch (error) {
    throw fileError(error, `read ${file}`, "network");
  } finally {
    close(fd);
  }
}

/** A new file, on disk when it resolves. Rejects with the system's error. */
export async function writeNew(file: string, { mode, content }: ConfigFile): Promise<void> {
  const fd = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await writeAll(fd, Buffer.from(content), 0);
    await fchmod(fd, mode);
    await fsync(fd);
  } finally {
    close(fd);
  }
}

/** What was renamed or removed in it is on disk afterwards. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // a folder cannot be opened there, and its entries are journaled
  const fd = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await fsync(fd);
  } finally {
    close(fd);
  }
}

function isSame(a: ConfigFile | undefined, b: ConfigFile): boolean {
  return a?.content === b.content && a.mode === b.mode;
}

function ignoreAbsence(error: unknown): void {
  if (!isErrno(error, "ENOENT")) throw error;
}
