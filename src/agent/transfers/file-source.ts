import { createHash } from "node:crypto";
import { CodedError } from "../../wire/errors.ts";
import { versionOf } from "../files/entry.ts";
import { HeldFile } from "../files/held-file.ts";
import type { OpenFile } from "../files/open-file.ts";
import { system } from "../files/system/index.ts";
import type { ByteSource } from "./sender.ts";

export interface FileSourceOptions {
  /** For errors. */
  path: string;
  /** Bytes from the start. */
  offset: number;
  /** At most so many bytes; 0 for all. */
  length: number;
  /** Unless "": the version that the file must have, to the end. */
  version: string;
  /** Tell the SHA-256 of the file from its start. */
  checksum: boolean;
}

/** The bytes of an open file, which it takes over. Throws CodedError fileChanged, and has closed it then. */
export class FileSource implements ByteSource {
  readonly doing: string;
  readonly expectedBytes: number;
  readonly #file: HeldFile;
  readonly #options: FileSourceOptions;
  readonly #hash;
  #position: number;
  readonly #end: number;

  constructor({ fd, stats }: Pick<OpenFile, "fd" | "stats">, options: FileSourceOptions) {
    const { path, offset, length, checksum } = options;
    this.#options = options;
    this.doing = `read ${path}`;
    this.#file = new HeldFile(fd, this.doing);
    const size = Number(stats.size);
    this.#end = length > 0 ? offset + length : Number.MAX_SAFE_INTEGER;
    this.expectedBytes = Math.max(0, Math.min(this.#end, size) - offset);
    this.#position = offset;
    this.#hash = checksum ? createHash("sha256") : undefined;
    if (versionOf(stats) !== options.version && options.version !== "") {
      this.#file.close();
      throw this.#changed();
    }
  }

  async read(targets: readonly Buffer[]): Promise<number> {
    if (this.#hash && this.#position === this.#options.offset) await this.#hashWhatLiesBefore(targets);
    const room = this.#end - this.#position;
    const count = room > 0 ? await this.#file.read(within(targets, room), this.#position) : 0;
    this.#position += count;
    if (this.#hash) for (const part of within(targets, count)) this.#hash.update(part);
    return count;
  }

  /** Behind the first read, which shows that the file system answers. */
  readNow(targets: readonly Buffer[]): number {
    const room = this.#end - this.#position;
    if (this.#hash || room <= 0 || this.#position === this.#options.offset) return 0;
    const count = system.readNow(this.#file.fd, within(targets, room), this.#position);
    this.#position += count;
    return count;
  }

  async finish() {
    const { version } = this.#options;
    if (version !== "" && versionOf(await this.#file.stat()) !== version) throw this.#changed();
    return this.#hash ? { sha256: this.#hash.digest() } : {};
  }

  close(): void {
    this.#file.close();
  }

  async #hashWhatLiesBefore(targets: readonly Buffer[]): Promise<void> {
    const { offset } = this.#options;
    for (let at = 0; at < offset;) {
      const count = await this.#file.read(within(targets, offset - at), at);
      if (count === 0) throw new CodedError("badOffset", `${this.#options.path} has only ${at} bytes`);
      for (const part of within(targets, count)) this.#hash?.update(part);
      at += count;
    }
  }

  #changed(): CodedError {
    return new CodedError("fileChanged", `${this.#options.path} has changed in the guest meanwhile`);
  }
}

/** The first `bytes` of `targets`. */
function within(targets: readonly Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  return targets.flatMap((target) => {
    const part = target.subarray(0, left);
    left -= part.length;
    return part.length > 0 ? [part] : [];
  });
}
