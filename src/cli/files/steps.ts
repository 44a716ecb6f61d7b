import type { OnProgress } from "../../host/index.ts";
import { HostError } from "../../host/errors.ts";
import type { CopyOptions } from "./copy-plan.ts";

/** What a step has copied, as --json has it. */
export interface Copied {
  bytes: number;
  /** What an earlier try had brought. */
  resumedAt?: number;
  sha256?: string;
  /** Of a tree. */
  files?: number;
  folders?: number;
  links?: number;
  /** Of a tree, where they are not counted one by one. */
  entries?: number;
  skipped?: string[];
  skippedCount?: number;
}

/** One source on its way to its target; nothing has been changed yet. */
export interface Step {
  from: string;
  to: string;
  /** Undefined when it is not known. */
  totalBytes: number | undefined;
  run(onProgress: OnProgress): Promise<Copied>;
}

export function requireRecursive(path: string, { recursive = false }: CopyOptions): void {
  if (recursive) return;
  throw new HostError("local-file", `${path} is a folder; with --recursive it is copied with all in it`);
}

/** For what is no regular file. */
export function requirePlain(path: string, { resume = false, checksum = false }: CopyOptions): void {
  if (!resume && !checksum) return;
  throw new HostError("local-file", `${path}: --resume and --checksum work with regular files only`);
}

/** How much of a stream has passed. */
export class ByteCount {
  bytes = 0;
  readonly #onProgress: OnProgress;

  constructor(onProgress: OnProgress) {
    this.#onProgress = onProgress;
  }

  /** The same bytes. */
  async *through(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      yield chunk;
      this.bytes += chunk.length;
      this.#onProgress({ bytes: this.bytes, totalBytes: undefined });
    }
  }
}
