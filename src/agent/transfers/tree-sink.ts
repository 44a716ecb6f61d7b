import { CodedError } from "../../wire/errors.ts";
import type { Folder } from "../files/folder.ts";
import { answerOf } from "../files/held-file.ts";
import { type UnpackOptions, unpackTree } from "../trees/unpack-tree.ts";
import type { Journal } from "./journal.ts";
import { Pipe } from "./pipe.ts";
import type { ByteSink } from "./receiver.ts";

/** Unpacks a tar stream below a folder, which it takes over. */
export class TreeSink implements ByteSink<{ entries: number }> {
  readonly target: string;
  readonly doing: string;
  readonly receivedBytes = 0;
  /** A tree is not gone on with. */
  readonly isKept = false;
  readonly #id: string;
  readonly #journal: Journal;
  readonly #folder: Folder;
  readonly #stop = new AbortController();
  readonly #pipe = new Pipe();
  readonly #unpacking: Promise<{ entries: number }>;

  private constructor(
    id: string,
    journal: Journal,
    folder: Folder,
    path: string,
    options: Omit<UnpackOptions, "signal">,
  ) {
    this.target = path;
    this.doing = `write the tree ${path}`;
    this.#id = id;
    this.#journal = journal;
    this.#folder = folder;
    this.#unpacking = unpackTree(this.#pipe, folder, { ...options, signal: this.#stop.signal });
    this.#unpacking.then(
      () => {
        this.#pipe.stop(); // what comes behind the end of the archive does not count
      },
      (error: unknown) => {
        this.#pipe.stop(error as Error);
      },
    );
  }

  static async begin(
    id: string,
    journal: Journal,
    folder: Folder,
    path: string,
    options: Omit<UnpackOptions, "signal">,
  ): Promise<TreeSink> {
    await journal.write(id, { kind: "tree", folder: folder.realPath, prefix: options.prefix });
    return new TreeSink(id, journal, folder, path, options);
  }

  async write(pieces: readonly Buffer[]): Promise<void> {
    // Copied: the small files among them are written later.
    for (const piece of pieces) await answerOf(this.#pipe.write(Buffer.from(piece)), this.doing);
  }

  async commit(sha256: Buffer): Promise<{ entries: number }> {
    if (sha256.length > 0)
      throw new CodedError("invalidMessage", "a tree has no SHA-256 to be compared with");
    this.#pipe.end();
    return await this.#unpacking;
  }

  async close(): Promise<void> {
    this.#stop.abort(new CodedError("cancelled", `cannot ${this.doing}: it was given up`));
    this.#pipe.end();
    await this.#unpacking.catch(() => undefined); // told by write() or commit()
    this.#folder.close();
    await this.#journal.forget(this.#id);
  }
}
