import { Writable } from "node:stream";
import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { FileInfo } from "./file-info.ts";
import type { WriteOptions } from "./options.ts";

/** See Files.writeFile(). */
export async function writeFile(
  session: Session,
  path: string,
  data: Uint8Array | string,
  options: WriteOptions,
): Promise<FileInfo> {
  await Promise.resolve([session, data, options]);
  throw new HostError("not-supported", `${path}: to be filled in`);
}

/** See Files.writeStream(). */
export class GuestWritable extends Writable {
  readonly #path: string;

  constructor(_session: () => Promise<Session>, path: string, _options: WriteOptions) {
    super();
    this.#path = path;
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    callback(new HostError("not-supported", `${this.#path}: to be filled in`));
  }
}
