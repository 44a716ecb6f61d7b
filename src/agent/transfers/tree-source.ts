import type { Folder } from "../files/folder.ts";
import { answerOf } from "../files/held-file.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { type PackedTree, packTree } from "../trees/pack-tree.ts";
import type { ByteSource } from "./sender.ts";

/** A folder, which it takes over, as a tar stream. */
export class TreeSource implements ByteSource {
  readonly doing: string;
  /** Not known; as much as is sent at a time. */
  readonly expectedBytes = 64 * 1024;
  readonly #folder: Folder;
  readonly #stop = new AbortController();
  readonly #tree: PackedTree;
  readonly #buffers: AsyncIterator<Buffer>;
  /** What did not fit into the last target. */
  #rest: Buffer = Buffer.alloc(0);
  #closed = false;

  constructor(folder: Folder, path: string, policy: PathPolicy) {
    this.doing = `read the tree ${path}`;
    this.#folder = folder;
    this.#tree = packTree(folder, { policy, signal: this.#stop.signal });
    this.#buffers = this.#tree.stream[Symbol.asyncIterator]();
  }

  async read([target]: readonly Buffer[]): Promise<number> {
    if (target === undefined) return 0;
    if (this.#rest.length === 0) {
      const next = await answerOf(this.#buffers.next(), this.doing);
      if (next.done) return 0;
      this.#rest = next.value;
    }
    const count = this.#rest.copy(target);
    this.#rest = this.#rest.subarray(count);
    return count;
  }

  finish() {
    const { list, count } = this.#tree.skipped;
    return Promise.resolve({ skipped: [...list], skippedCount: count });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop.abort(new Error("the transfer is over"));
    const letGo = (): void => {
      this.#folder.close();
    };
    // What is being read comes back first.
    void this.#buffers.return?.().then(letGo, letGo);
  }
}
