import { Readable } from "node:stream";
import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { ReadFileOptions, ReadStreamOptions } from "./options.ts";

/** See Files.readFile(). */
export async function readFile(
  session: Session,
  path: string,
  options: ReadFileOptions,
): Promise<Buffer | string> {
  await Promise.resolve([session, options]);
  throw new HostError("not-supported", `${path}: to be filled in`);
}

/** See Files.readStream(). */
export class GuestReadable extends Readable {
  readonly #path: string;

  constructor(_session: () => Promise<Session>, path: string, _options: ReadStreamOptions) {
    super();
    this.#path = path;
  }

  override _read(): void {
    this.destroy(new HostError("not-supported", `${this.#path}: to be filled in`));
  }
}
