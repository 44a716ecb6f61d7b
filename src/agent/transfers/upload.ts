import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { CodedError } from "../../wire/errors.ts";
import { type Entry, entryOf, versionOf } from "../files/entry.ts";
import type { Folder } from "../files/folder.ts";
import { HeldFile, answerOf } from "../files/held-file.ts";
import { close, ftruncate } from "../files/io.ts";
import type { Names } from "../files/names.ts";
import { unchanged } from "../files/owner.ts";
import { renameNoReplace } from "../files/relocation.ts";
import { type FileStats, system } from "../files/system/index.ts";
import { temporaryName } from "../files/temporary.ts";
import type { Journal } from "./journal.ts";
import type { ByteSink } from "./receiver.ts";
import { SparseWriter } from "./sparse-writer.ts";
import { type Target, lookAt } from "./target.ts";

export interface UploadOptions {
  /** As the host wrote it. */
  path: string;
  /** Permission bits; undefined: those of the file that is replaced, or 0644. */
  mode: number | undefined;
  /** `unchanged`: that of the file that is replaced, or the agent's. */
  uid: number;
  gid: number;
  /** Seconds since 1970; undefined: now. */
  modifiedAt: number | undefined;
  sparse: boolean;
  /** Unless "": only if what is replaced has this version. */
  version: string;
  /** Only if nothing is replaced. */
  exclusive: boolean;
  /** What has arrived stays when the host goes. */
  resumable: boolean;
  names: Names;
}

const newFileMode = 0o644;

/** Read at a time for the checksum: a ping waits for no more than one of these to be hashed. */
const hashBytes = 256 * 1024;

const { O_RDWR, O_CREAT, O_EXCL, O_NOCTTY, O_NONBLOCK } = constants;

/** A file on its way: written beside its target, whose place it takes when it is whole. */
export class Upload implements ByteSink<{ entry: Entry }> {
  readonly target: string;
  readonly doing: string;
  readonly #id: string;
  readonly #journal: Journal;
  readonly #target: Target;
  readonly #tempName: string;
  readonly #file: HeldFile;
  readonly #options: UploadOptions;
  readonly #sparse: SparseWriter | undefined;
  #receivedBytes: number;
  #commit: Promise<{ entry: Entry }> | undefined;
  #closing = false;
  #done = false;
  #kept = false;

  private constructor(
    id: string,
    journal: Journal,
    target: Target,
    tempName: string,
    fd: number,
    receivedBytes: number,
    options: UploadOptions,
  ) {
    this.target = options.path;
    this.doing = `write ${options.path}`;
    this.#id = id;
    this.#journal = journal;
    this.#target = target;
    this.#tempName = tempName;
    this.#file = new HeldFile(fd, this.doing);
    this.#receivedBytes = receivedBytes;
    this.#options = options;
    this.#sparse = options.sparse ? new SparseWriter(this.#file) : undefined;
  }

  /**
   * Takes over `target`. With `resume`, goes on with what has arrived for the same target under the same id; what else
   * there is under it is removed. Rejects with the system's error or CodedError fileExists, fileChanged.
   */
  static async begin(
    id: string,
    journal: Journal,
    target: Target,
    options: UploadOptions,
    { resume }: { resume: boolean },
  ): Promise<Upload> {
    try {
      checkWanted(options, target.stats);
      const earlier = resume ? await findEarlier(id, journal, target) : undefined;
      if (earlier) {
        return new Upload(id, journal, target, earlier.tempName, earlier.fd, earlier.bytes, options);
      }
      await journal.discard(id);
      const { folder, name } = target;
      const tempName = temporaryName();
      const isWritten = await journal.write(id, { kind: "file", folder: folder.realPath, name, tempName });
      const flags = O_RDWR | O_CREAT | O_EXCL;
      const fd = await folder.open(tempName, flags, 0o600).catch(async (error: unknown) => {
        await journal.forget(id);
        throw error;
      });
      // Before there is anything to read in it.
      if (target.stats) {
        await system.copyAccess(folder, name, fd).catch(async (error: unknown) => {
          close(fd);
          await folder.unlink(tempName).catch(() => undefined); // what went wrong is `error`
          await journal.forget(id);
          throw error;
        });
      }
      const resumable = options.resumable && isWritten;
      return new Upload(id, journal, target, tempName, fd, 0, { ...options, resumable });
    } catch (error) {
      target.folder.close();
      throw error;
    }
  }

  /** It has been closed, and can be gone on with. */
  get isKept(): boolean {
    return this.#kept;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  async write(pieces: readonly Buffer[]): Promise<void> {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    await (this.#sparse ?? this.#file).write(pieces, this.#receivedBytes);
    this.#receivedBytes += bytes;
  }

  commit(sha256: Buffer): Promise<{ entry: Entry }> {
    return (this.#commit ??= this.#putInPlace(sha256));
  }

  async close(why: "done" | "failed" | "given-up"): Promise<void> {
    this.#closing = true;
    this.#file.close();
    await this.#commit?.catch(() => undefined); // its caller is told
    const { folder } = this.#target;
    try {
      if (this.#done) return;
      this.#kept = why === "given-up" && this.#options.resumable;
      if (this.#kept) return;
      await folder.unlink(this.#tempName).catch(() => undefined); // its owner may have removed it
      await this.#journal.forget(this.#id);
    } finally {
      folder.close();
    }
  }

  async #putInPlace(sha256: Buffer): Promise<{ entry: Entry }> {
    const { folder, name } = this.#target;
    if (this.#sparse) await this.#file.use((fd) => ftruncate(fd, this.#receivedBytes));
    if (sha256.length > 0) await this.#check(sha256);
    await this.#file.use((fd) => this.#setAttributes(fd));
    await this.#file.sync();
    const stats = await this.#file.stat();
    const temp = await answerOf(lookAt(folder, this.#tempName), this.doing);
    if (temp?.ino !== stats.ino || temp.dev !== stats.dev) {
      throw new CodedError(
        "fileChanged",
        `somebody in the guest has removed the unfinished ${this.#tempName}`,
      );
    }
    checkWanted(this.#options, await answerOf(lookAt(folder, name), this.doing));
    this.#throwIfClosing();
    await answerOf(this.#rename(), this.doing);
    this.#done = true;
    await answerOf(folder.sync(), this.doing);
    await this.#journal.forget(this.#id);
    const place = { name, path: folder.placeOf(name) };
    return { entry: entryOf(place, stats, await this.#options.names.of(stats)) };
  }

  #rename(): Promise<void> {
    const { folder, name } = this.#target;
    if (!this.#options.exclusive) return folder.rename(this.#tempName, name);
    return renameNoReplace({ folder, name: this.#tempName }, { folder, name }, false);
  }

  async #setAttributes(fd: number): Promise<void> {
    const { mode, uid, gid, modifiedAt } = this.#options;
    const { stats } = this.#target;
    const owner = uid === unchanged ? Number(stats?.uid ?? unchanged) : uid;
    const group = gid === unchanged ? Number(stats?.gid ?? unchanged) : gid;
    // Before the mode: a change of owner takes the setuid bits away.
    if (owner !== unchanged || group !== unchanged) await system.fchown(fd, owner, group);
    await system.fchmod(fd, mode ?? Number((stats?.mode ?? BigInt(newFileMode)) & 0o7777n));
    if (modifiedAt !== undefined) await system.futimes(fd, new Date(), modifiedAt);
  }

  async #check(expected: Buffer): Promise<void> {
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(hashBytes);
    for (let at = 0; at < this.#receivedBytes;) {
      const count = await this.#file.read([buffer], at);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      at += count;
    }
    const found = hash.digest();
    if (found.equals(expected)) return;
    throw new CodedError(
      "checksum",
      `cannot ${this.doing}: the SHA-256 of what arrived is ${found.toString("hex")}, not ${expected.toString("hex")}`,
    );
  }

  #throwIfClosing(): void {
    if (this.#closing) throw new CodedError("cancelled", `cannot ${this.doing}: it was given up`);
  }
}

/** Throws CodedError fileExists or fileChanged when what is at the target is not what the host wants to replace. */
function checkWanted({ path, exclusive, version }: UploadOptions, stats: FileStats | undefined): void {
  if (exclusive && stats) throw new CodedError("fileExists", `${path} is there already`);
  if (version === "" || (stats && versionOf(stats) === version)) return;
  throw new CodedError(
    "fileChanged",
    `${path} ${stats ? "has changed" : "is no more there"}; it is not replaced`,
  );
}

/** What has arrived of an upload: only if it was of this agent's user, as no other can make such a file. */
async function findEarlier(
  id: string,
  journal: Journal,
  { folder, name }: { folder: Folder; name: string },
): Promise<{ tempName: string; fd: number; bytes: number } | undefined> {
  const record = await journal.read(id);
  if (record?.kind !== "file" || !journal.isOfThisBoot(record)) return undefined;
  if (record.folder !== folder.realPath || record.name !== name) return undefined;
  const { tempName } = record;
  const stats = await lookAt(folder, tempName);
  if (!stats?.isFile() || stats.nlink !== 1n || stats.uid !== BigInt(process.getuid?.() ?? 0))
    return undefined;
  const fd = await folder.open(tempName, O_RDWR | O_NOCTTY | O_NONBLOCK);
  return { tempName, fd, bytes: Number(stats.size) };
}
