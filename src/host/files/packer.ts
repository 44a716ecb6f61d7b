import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, opendir, readlink } from "node:fs/promises";
import nodePath from "node:path";
import type { Header, Pack } from "tar-stream";
import { HostError } from "../errors.ts";
import { isErrno, locally } from "./local-error.ts";
import { deferred } from "../waiting.ts";
import type { ProgressTeller } from "./progress.ts";

/** Of what is left out, so many are told. */
const mostTold = 100;

/** Entries that may be made before what is there of the stream is taken. */
const mostAhead = 256;

const readAtOnceBytes = 256 * 1024;

const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

type Sink = ReturnType<Pack["entry"]>;
type EntryHeader = Partial<Header> & Pick<Header, "name">;

/** Makes a tar stream of a folder of this host. What is no file, folder or link, or cannot be read, is left out. */
export class Packer {
  readonly skipped: string[] = [];
  skippedCount = 0;
  readonly #pack: Pack;
  readonly #root: string;
  readonly #progress: ProgressTeller;
  /** Pieces of the stream that were made, at least, and not taken. */
  #ahead = 0;
  #lessAhead = deferred<undefined>();

  constructor(pack: Pack, root: string, progress: ProgressTeller) {
    this.#pack = pack;
    this.#root = root;
    this.#progress = progress;
  }

  /** Rejects with a HostError when the folder cannot be read, or a file got shorter while it was. */
  async run(): Promise<void> {
    // A slash, so that a link is followed.
    const stats = await locally(`read ${this.#root}`, () => lstat(`${this.#root}/`, { bigint: true }));
    await this.#entry({ ...headerOf(".", stats), type: "directory" });
    await this.#folder("");
    this.#pack.finalize();
  }

  /** A piece of the stream was taken. */
  taken(): void {
    if (this.#ahead > 0) this.#ahead--;
    this.#lessAhead.resolve(undefined);
  }

  async #folder(above: string): Promise<void> {
    const place = nodePath.join(this.#root, above);
    try {
      for await (const { name } of await opendir(place)) await this.#one(above ? `${above}/${name}` : name);
    } catch (error) {
      if (above === "" || !isLeftOut(error)) {
        throw error instanceof HostError
          ? error
          : await locally(`read ${place}`, () => Promise.reject(error as Error));
      }
      this.#skip(above, (error as Error).message);
    }
  }

  async #one(name: string): Promise<void> {
    const place = nodePath.join(this.#root, name);
    try {
      const stats = await lstat(place, { bigint: true });
      if (stats.isDirectory()) {
        await this.#entry({ ...headerOf(name, stats), type: "directory" });
        await this.#folder(name);
      } else if (stats.isSymbolicLink()) {
        const linkname = await readlink(place);
        await this.#entry({ ...headerOf(name, stats), type: "symlink", linkname });
      } else if (stats.isFile()) {
        await this.#file(name, place);
      } else {
        this.#skip(name, "no file, folder or link");
      }
    } catch (error) {
      if (!isLeftOut(error)) throw error;
      this.#skip(name, (error as Error).message);
    }
  }

  async #file(name: string, place: string): Promise<void> {
    const file = await open(place, openFlags);
    try {
      const stats = await file.stat({ bigint: true });
      if (!stats.isFile()) {
        this.#skip(name, "no file, folder or link");
        return;
      }
      this.#progress.at(name);
      const size = Number(stats.size);
      await this.#room();
      const done = deferredEntry();
      const entry = this.#pack.entry({ ...headerOf(name, stats), type: "file", size }, done.callback);
      if (size > 0) await this.#contents(file, place, size, entry);
      entry.end(undefined);
      await done.promise;
    } finally {
      await file.close();
    }
  }

  /** Exactly as much as was said. What a file has got longer by is left out. */
  async #contents(file: FileHandle, place: string, size: number, entry: Sink): Promise<void> {
    for (let at = 0; at < size;) {
      if (entry.destroyed) throw new Error("the stream was given up");
      const buffer = Buffer.allocUnsafe(Math.min(size - at, readAtOnceBytes));
      const { bytesRead } = await locally(`read ${place}`, () => file.read(buffer, 0, buffer.length, at));
      if (bytesRead === 0) {
        throw new HostError("local-file", `${place} got shorter while it was read`);
      }
      at += bytesRead;
      if (!entry.write(buffer.subarray(0, bytesRead))) await drained(entry);
      this.#progress.add(bytesRead);
    }
  }

  async #entry(header: EntryHeader): Promise<void> {
    const done = deferredEntry();
    await this.#room();
    this.#pack.entry(header, done.callback);
    await done.promise;
  }

  /** A pack takes entries without contents as fast as they come: here is where they wait for its reader. */
  async #room(): Promise<void> {
    this.#ahead++;
    while (this.#ahead > mostAhead && !this.#pack.destroyed) {
      await this.#lessAhead.promise;
      this.#lessAhead = deferred();
    }
  }

  #skip(name: string, why: string): void {
    this.skippedCount++;
    if (this.skipped.length < mostTold) this.skipped.push(`${name}: ${why}`);
  }
}

/** What has gone, or may not be read, is left out; all else ends it. */
function isLeftOut(error: unknown): boolean {
  return ["ENOENT", "EACCES", "EPERM", "ELOOP", "ENXIO"].some((code) => isErrno(error, code));
}

/** The largest number that an entry has room for without pax: seven octal digits. */
const largestOctal = 0o7777777n;

const second = 1_000_000_000n;

function headerOf(name: string, { mode, uid, gid, mtime, mtimeNs }: BigIntStats): EntryHeader {
  const pax: Record<string, string> = {};
  if (uid > largestOctal) pax["uid"] = String(uid);
  if (gid > largestOctal) pax["gid"] = String(gid);
  if (mtimeNs > 0n && mtimeNs % second > 0n) {
    pax["mtime"] = `${mtimeNs / second}.${String(mtimeNs % second).padStart(9, "0")}`;
  }
  return {
    name,
    mode: Number(mode & 0o7777n),
    uid: Number(uid),
    gid: Number(gid),
    mtime: mtime.getTime() < 0 ? new Date(0) : mtime, // tar has none before 1970
    ...(Object.keys(pax).length > 0 && { pax }),
  };
}

function deferredEntry(): { promise: Promise<void>; callback: (error?: Error | null) => void } {
  let callback: (error?: Error | null) => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    callback = (error) => {
      if (error) reject(error);
      else resolve();
    };
  });
  promise.catch(() => undefined); // who writes the entry may fail before
  return { promise, callback };
}

/** Resolves too when it is destroyed: the next write, or the end, then says why. */
function drained(entry: Sink): Promise<void> {
  return new Promise((resolve) => {
    if (entry.destroyed) resolve();
    const done = (): void => {
      entry.off("drain", done);
      entry.off("close", done);
      resolve();
    };
    entry.on("drain", done);
    entry.on("close", done);
  });
}
