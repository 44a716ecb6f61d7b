import { createHash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { localError } from "./local.ts";

/** A folder that only this user can look into, with a file of the guest's name: editors go by it. */
export class DraftFolder {
  readonly file: string;
  readonly #folder: string;
  #isKept = false;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.file = path.join(folder, name);
    process.once("exit", this.#remove); // a second Ctrl-C ends the process at once
  }

  /** The file is not made. Rejects with "local-file". */
  static async make(name: string): Promise<DraftFolder> {
    const folder = path.join(tmpdir(), "limiquantix-edit-");
    try {
      return new DraftFolder(await mkdtemp(folder), name);
    } catch (error) {
      throw localError(folder, error);
    }
  }

  /** Another one when the file has other contents; undefined when there is none. Rejects with "local-file". */
  async fingerprint(): Promise<string | undefined> {
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(this.file)) hash.update(chunk as Buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw localError(this.file, error);
    }
    return hash.digest("hex");
  }

  /** From now on it stays, whatever becomes of this process. */
  keep(): void {
    this.#isKept = true;
  }

  /** Removes it. */
  discard(): void {
    this.#isKept = false;
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#remove);
    this.#remove();
  }

  readonly #remove = (): void => {
    if (!this.#isKept) rmSync(this.#folder, { recursive: true, force: true });
  };
}
