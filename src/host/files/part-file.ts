import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { HostError } from "../errors.ts";
import { isErrno, locally } from "./local-error.ts";

const exclusively = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const again = constants.O_RDWR | constants.O_NOFOLLOW;

/** Not to be read by others before it has the mode that it is to have. */
const partMode = 0o600;

/** What is known of an unfinished download, beside it as JSON. */
interface PartRecord {
  /** In the guest. */
  path: string;
  /** identityOf() the guest's file. */
  version: string;
  /** Of this host: what was not synced may be gone after it was started anew. */
  bootId: string;
  syncedBytes: number;
}

/** A file of this host while it comes: beside its target, which it replaces when it is whole. */
export class PartFile {
  readonly file: FileHandle;
  /** What is replaced. */
  readonly target: string;
  readonly #part: string;
  /** Where its record is; undefined for one that is not kept when it fails. */
  readonly #recordPath: string | undefined;
  /** What an earlier try has left, and of which file of the guest. */
  readonly earlier: { bytes: number; path: string; version: string } | undefined;
  #record: PartRecord | undefined;

  private constructor(
    file: FileHandle,
    target: string,
    part: string,
    recordPath?: string,
    earlier?: PartFile["earlier"],
  ) {
    this.file = file;
    this.target = target;
    this.#part = part;
    this.#recordPath = recordPath;
    this.earlier = earlier;
  }

  /** Rejects with a HostError; also when there is something other than a file at `localPath`. */
  static async open(localPath: string, { resume }: { resume: boolean }): Promise<PartFile> {
    return await locally(`write ${localPath}`, async () => {
      const target = await targetOf(localPath);
      const beside = path.join(path.dirname(target), `.${path.basename(target)}`);
      if (resume) return await PartFile.#openKept(target, `${beside}.limiquantix-part`);
      const part = `${beside}.${randomBytes(6).toString("hex")}.part`;
      return new PartFile(await open(part, exclusively, partMode), target, part);
    });
  }

  static async #openKept(target: string, part: string): Promise<PartFile> {
    const recordPath = `${part}.json`;
    const file = await openOwn(part);
    if (file === undefined) {
      await rm(part, { force: true }); // somebody else's, who could change it later, or a link
      return new PartFile(await open(part, exclusively, partMode), target, part, recordPath);
    }
    try {
      const record = await readRecord(recordPath);
      const { size } = await file.stat();
      if (record === undefined) return new PartFile(file, target, part, recordPath);
      const sameBoot = record.bootId !== "" && record.bootId === (await bootId());
      const bytes = sameBoot ? size : Math.min(size, record.syncedBytes);
      return new PartFile(file, target, part, recordPath, {
        bytes,
        path: record.path,
        version: record.version,
      });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** From now on it holds so many bytes of this file of the guest. */
  async begin(guestPath: string, version: string, bytes: number): Promise<void> {
    await locally(`write ${this.#part}`, async () => {
      await this.file.truncate(bytes);
      this.#record = { path: guestPath, version, bootId: await bootId(), syncedBytes: 0 };
      await this.#writeRecord();
    });
  }

  /** Puts it in its place, on disk. */
  async finish({ mode, modifiedAt }: { mode: number; modifiedAt: Date }): Promise<void> {
    await locally(`write ${this.target}`, async () => {
      await this.file.chmod(mode & 0o777);
      await this.file.utimes(new Date(), modifiedAt);
      await this.file.sync();
      await rename(this.#part, this.target);
      await this.file.close();
      if (this.#recordPath !== undefined) await rm(this.#recordPath, { force: true });
      await syncFolder(path.dirname(this.target));
    });
  }

  /** Leaves it for a later try, where that is wanted. */
  async giveUp(): Promise<void> {
    if (this.#recordPath === undefined) {
      await this.discard();
      return;
    }
    await locally(`leave ${this.#part}`, async () => {
      try {
        if (this.#record === undefined) return;
        await this.file.sync();
        this.#record.syncedBytes = (await this.file.stat()).size;
        await this.#writeRecord();
      } finally {
        await this.file.close();
      }
    });
  }

  /** Removes it. */
  async discard(): Promise<void> {
    await locally(`remove ${this.#part}`, async () => {
      await this.file.close();
      await rm(this.#part, { force: true });
      if (this.#recordPath !== undefined) await rm(this.#recordPath, { force: true });
    });
  }

  /** As a whole or not at all. */
  async #writeRecord(): Promise<void> {
    if (this.#recordPath === undefined) return;
    const fresh = `${this.#recordPath}.${randomBytes(6).toString("hex")}`;
    await writeFile(fresh, JSON.stringify(this.#record), { flag: "wx", mode: partMode });
    await rename(fresh, this.#recordPath);
  }
}

/** Where a file at `localPath` is, or will be. Links are followed, so that what they lead to is replaced. */
async function targetOf(localPath: string): Promise<string> {
  try {
    const facts = await stat(localPath);
    if (!facts.isFile()) {
      throw new HostError(
        "local-file",
        `${localPath} is no regular file of this host, and is not replaced by one`,
      );
    }
    return await realpath(localPath);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    return path.join(await realpath(path.dirname(localPath)), path.basename(localPath));
  }
}

/** Undefined for what is not there, a link, or a file that another user may write. */
async function openOwn(part: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(part, again);
  } catch (error) {
    if (isErrno(error, "ENOENT") || isErrno(error, "ELOOP")) return undefined;
    throw error;
  }
  const facts = await file.stat();
  const own = process.geteuid === undefined || facts.uid === process.geteuid();
  if (facts.isFile() && facts.nlink === 1 && own && (facts.mode & 0o022) === 0) return file;
  await file.close();
  return undefined;
}

/** Undefined where there is none that can be read: then all begins anew. */
async function readRecord(recordPath: string): Promise<PartRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(recordPath, "utf8"));
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is PartRecord {
  if (typeof value !== "object" || value === null) return false;
  const { path: guestPath, version, bootId: boot, syncedBytes } = value as Record<keyof PartRecord, unknown>;
  const texts = [guestPath, version, boot];
  return texts.every((text) => typeof text === "string") && typeof syncedBytes === "number";
}

/** Linux has one; elsewhere only what was synced is believed. */
async function bootId(): Promise<string> {
  try {
    return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  } catch {
    return "";
  }
}

/** Afterwards a file that was renamed in it is on disk. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // folders cannot be opened there
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
