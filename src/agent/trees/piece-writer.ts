import type { Header, Pack } from "tar-stream";
import { fileError } from "../files/file-error.ts";
import { close, read } from "../files/io.ts";
import { system } from "../files/system/index.ts";
import { OwnerNames } from "./owner-names.ts";
import { drained } from "./drained.ts";
import type { Piece, PieceStats } from "./piece.ts";
import type { Skipped } from "./skipped.ts";
import { headerOf } from "./tar-header.ts";

type Sink = ReturnType<Pack["entry"]>;
type LargeFile = Piece & { type: "large-file" };

/** Files that have other names, of which the first is known; those beyond are packed once for each name. */
const mostLinked = 100_000;

const chunkBytes = 64 * 1024;

/** Writes the pieces of a tree, one after another. */
export class PieceWriter {
  readonly #tar: Pack;
  readonly #skipped: Skipped;
  readonly #users = new OwnerNames("user");
  readonly #groups = new OwnerNames("group");
  readonly #linked = new Map<string, string>();

  constructor(tar: Pack, skipped: Skipped) {
    this.#tar = tar;
    this.#skipped = skipped;
  }

  /** Resolves when there is room for more. Rejects when the tar stream has been destroyed. Closes what is open. */
  async write(piece: Piece): Promise<void> {
    try {
      const { stats } = piece;
      const owner = await this.#users.of(Number(stats.uid));
      const group = await this.#groups.of(Number(stats.gid));
      const linkTo = this.#firstName(piece);
      const header = headerOf(piece, { owner, group, linkTo });
      if (linkTo !== undefined || piece.type === "directory" || piece.type === "symlink") {
        await entry((done) => this.#tar.entry(header, done));
      } else if (piece.type === "file") {
        await entry((done) => this.#tar.entry(header, piece.content, done));
      } else {
        await this.#writeLarge(piece, header);
      }
    } finally {
      if (piece.type === "large-file") close(piece.fd);
    }
  }

  async #writeLarge(piece: LargeFile, header: Header): Promise<void> {
    let sink: Sink | undefined;
    const written = entry((done) => (sink = this.#tar.entry(header, done)));
    written.catch(() => undefined); // awaited below
    // It comes to its end before the file is closed, also when the stream has been destroyed.
    if (sink) await this.#copy(piece, sink);
    await written;
  }

  /** Of a file that has been packed by another name. */
  #firstName({ type, name, stats }: Piece): string | undefined {
    if (type === "directory" || type === "symlink" || stats.nlink < 2n) return undefined;
    const key = `${stats.dev}:${stats.ino}`;
    const first = this.#linked.get(key);
    if (first === undefined && this.#linked.size < mostLinked) this.#linked.set(key, name);
    return first;
  }

  /** As many bytes as were announced, whatever becomes of the file meanwhile. */
  async #copy(piece: LargeFile, sink: Sink): Promise<void> {
    const size = Number(piece.stats.size);
    let problem: string | undefined;
    for (let done = 0; done < size && !sink.destroyed;) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, size - done));
      const count = problem === undefined ? await readSome(piece.fd, chunk, done) : 0;
      if (typeof count === "string") problem = count;
      else if (count === 0) problem ??= changed;
      const isRead = typeof count === "number" && count > 0;
      const bytes = isRead ? chunk.subarray(0, count) : chunk.fill(0);
      done += bytes.length;
      if (!sink.write(bytes)) await drained(sink);
    }
    problem ??= await hasChanged(piece.fd, piece.stats);
    if (problem !== undefined) this.#skipped.add(piece.name, problem);
    sink.end(null);
  }
}

/** Starts an entry, and resolves when it has been written. */
async function entry(start: (done: (error?: Error | null) => void) => Sink): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sink = start((error) => {
      if (error) reject(error);
      else resolve();
    });
    sink.on("error", reject);
  });
}

const changed = "changed while it was read";

/** How many bytes, or what is wrong. */
async function readSome(fd: number, target: Buffer, position: number): Promise<number | string> {
  try {
    return await read(fd, target, position);
  } catch (error) {
    return `${fileError(error, "read it").message}; the rest is zeros`;
  }
}

async function hasChanged(fd: number, { size, mtimeNs }: PieceStats): Promise<string | undefined> {
  const now = await system.fstat(fd);
  return now.size === size && now.mtimeNs === mtimeNs ? undefined : changed;
}
