import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, opendir, readlink } from "node:fs/promises";
import nodePath from "node:path";
import { HostError } from "../errors.ts";
import type { Joiner } from "./joiner.ts";
import { isErrno, localError, locally } from "./local-error.ts";
import { LocalReader } from "./local-reader.ts";
import { type LocalWork, doLater, local } from "./local-work.ts";
import type { Outgoing } from "./outgoing.ts";
import { Pace } from "./pace.ts";
import type { ProgressTeller } from "./progress.ts";
import { blockBytes, padded } from "./tar-blocks.ts";
import { TarHeaders } from "./tar-header.ts";

/** Of what is left out, so many are told. */
const mostTold = 100;

/** Files up to this size are read whole. */
const smallFileBytes = 64 * 1024;

/** So many of them at a time, in threads: more are not faster, as Node's pool has four. */
const mostAhead = 32;

/** Names that are read from a folder at once. */
const namesAtOnce = 256;

const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const zeros = Buffer.alloc(2 * blockBytes);

/** A file that was looked at, and its contents if it is a small one. */
interface Looked {
  stats: BigIntStats;
  content: Buffer | undefined;
}

/** Sends a folder of this host as a tar stream. What is no file, folder or link, or cannot be read, is left out. */
export class Packer {
  readonly skipped: string[] = [];
  skippedCount = 0;
  /** Of the stream. */
  totalBytes = 0;
  readonly #root: string;
  readonly #joiner: Joiner;
  readonly #outgoing: Pick<Outgoing, "sendInPlace">;
  readonly #progress: ProgressTeller;
  readonly #pace: Pace;
  readonly #headers = new TarHeaders();
  /** For one small file after the other. */
  readonly #scratch = Buffer.allocUnsafeSlow(smallFileBytes);
  /** Files of one folder that are being looked at, in order. */
  readonly #ahead: { name: string; looking: Promise<Looked> }[] = [];

  constructor(
    root: string,
    joiner: Joiner,
    outgoing: Pick<Outgoing, "sendInPlace">,
    progress: ProgressTeller,
    pace = new Pace(),
  ) {
    this.#pace = pace;
    this.#root = root;
    this.#joiner = joiner;
    this.#outgoing = outgoing;
    this.#progress = progress;
  }

  /** Rejects with a HostError when the folder cannot be read, a large file got shorter while it was, or the transfer ended. */
  async run(): Promise<void> {
    try {
      // A slash, so that a link is followed.
      const stats = await locally(`read ${this.#root}`, () => lstat(`${this.#root}/`, { bigint: true }));
      await this.#add(this.#headers.of("directory", ".", stats));
      await this.#folder("", stats.dev);
      await this.#add(zeros);
      await this.#joiner.flush();
    } finally {
      await Promise.allSettled(this.#ahead.map(({ looking }) => looking));
    }
  }

  async #folder(above: string, device: bigint): Promise<void> {
    const place = this.#placeOf(above);
    try {
      await this.#pace.enter(place, device);
      for await (const entry of await opendir(place, { bufferSize: namesAtOnce })) {
        const name = above ? `${above}/${entry.name}` : entry.name;
        if (entry.isFile()) {
          await this.#file(name);
        } else {
          await this.#sendAhead();
          await this.#leavingOut(name, () => this.#other(name));
          await this.#pace.enter(place, device);
        }
      }
    } catch (error) {
      if (above === "" || !isLeftOut(error)) throw localError(error, `read ${place}`);
      this.#skip(above, error);
    }
    await this.#sendAhead();
  }

  /** What is not known to be a file. Not in this thread: something may be mounted there that does not answer. */
  async #other(name: string): Promise<void> {
    const place = this.#placeOf(name);
    const stats = await lstat(place, { bigint: true });
    if (stats.isDirectory()) {
      await this.#add(this.#headers.of("directory", name, stats));
      await this.#folder(name, stats.dev);
    } else if (stats.isSymbolicLink()) {
      await this.#add(this.#headers.of("symlink", name, stats, { linkTo: await readlink(place) }));
    } else if (stats.isFile()) {
      await this.#send(name, await doLater(look(place)));
    } else {
      this.#skip(name, "no file, folder or link");
    }
  }

  async #file(name: string): Promise<void> {
    const place = this.#placeOf(name);
    if (await this.#pace.turn()) {
      await this.#sendAhead();
      await this.#leavingOut(name, () => this.#send(name, this.#pace.now(look(place, this.#scratch))));
      return;
    }
    const looking = doLater(look(place));
    looking.catch(() => undefined); // whoever sends it is told
    this.#ahead.push({ name, looking });
    if (this.#ahead.length >= mostAhead) await this.#sendOldest();
  }

  async #sendAhead(): Promise<void> {
    while (this.#ahead.length > 0) await this.#sendOldest();
  }

  async #sendOldest(): Promise<void> {
    const oldest = this.#ahead.shift();
    if (oldest === undefined) return;
    await this.#leavingOut(oldest.name, async () => {
      await this.#send(oldest.name, await oldest.looking);
    });
  }

  async #send(name: string, { stats, content }: Looked): Promise<void> {
    if (!stats.isFile()) {
      this.#skip(name, "no file, folder or link");
    } else if (content) {
      this.#progress.at(name);
      await this.#add(this.#headers.of("file", name, stats, { sizeBytes: content.length }));
      await this.#add(content);
      await this.#fill(content.length);
      this.#progress.add(content.length);
    } else {
      await this.#sendLarge(name);
    }
  }

  async #sendLarge(name: string): Promise<void> {
    const place = this.#placeOf(name);
    const file = await open(place, openFlags);
    try {
      const stats = await file.stat({ bigint: true });
      if (!stats.isFile()) {
        this.#skip(name, "no file, folder or link");
        return;
      }
      this.#progress.at(name);
      const sizeBytes = Number(stats.size);
      await this.#add(this.#headers.of("file", name, stats, { sizeBytes }));
      await this.#joiner.flush();
      await this.#contents(file, place, sizeBytes);
      await this.#fill(sizeBytes);
    } finally {
      await file.close();
    }
  }

  /** Exactly as much as was said. What a file has got longer by is left out. */
  async #contents(file: FileHandle, place: string, sizeBytes: number): Promise<void> {
    let at = 0;
    for await (const pieces of new LocalReader(file, place, 0).pieces(sizeBytes)) {
      for (const { buffer, dataBytes, done } of pieces) {
        await this.#outgoing.sendInPlace(buffer, dataBytes, done);
        at += dataBytes;
        this.totalBytes += dataBytes;
        this.#progress.add(dataBytes);
      }
    }
    if (at < sizeBytes) throw new HostError("local-file", `${place} got shorter while it was read`);
  }

  async #add(bytes: Buffer): Promise<void> {
    this.totalBytes += bytes.length;
    await this.#joiner.add(bytes);
  }

  /** Fills up the last block of contents. */
  async #fill(contentBytes: number): Promise<void> {
    await this.#add(zeros.subarray(0, padded(contentBytes) - contentBytes));
  }

  /** What `work` cannot read is left out. */
  async #leavingOut(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isLeftOut(error)) throw localError(error, `read ${this.#placeOf(name)}`);
      this.#skip(name, error);
    }
  }

  #placeOf(name: string): string {
    return nodePath.join(this.#root, name);
  }

  #skip(name: string, why: unknown): void {
    this.skippedCount++;
    if (this.skipped.length >= mostTold) return;
    this.skipped.push(`${name}: ${why instanceof Error ? why.message : String(why)}`);
  }
}

/** Looks at a file, and reads it if it is small: into `scratch`, or memory of its own. */
function* look(place: string, scratch?: Buffer): LocalWork<Looked> {
  const fd = yield* local.open(place, openFlags);
  try {
    const stats = yield* local.fstat(fd);
    if (!stats.isFile() || stats.size > smallFileBytes) return { stats, content: undefined };
    const sizeBytes = Number(stats.size);
    const target = scratch?.subarray(0, sizeBytes) ?? Buffer.allocUnsafe(sizeBytes);
    const bytes = yield* local.readAll(fd, target);
    return { stats, content: target.subarray(0, bytes) };
  } finally {
    yield* local.close(fd);
  }
}

/** What has gone, or may not be read, is left out; all else ends it. */
function isLeftOut(error: unknown): boolean {
  return ["ENOENT", "EACCES", "EPERM", "ELOOP", "ENXIO"].some((code) => isErrno(error, code));
}
