import { CodedError } from "../../wire/errors.ts";
import { folded } from "../files/path-win32.ts";
import { MadeFiles } from "./made-files.ts";

/** For a file system that takes "a" and "A" for one name: a tree that has both would lose one of them. */
export class OneCase {
  readonly #names = new MadeFiles();
  readonly #folded = new MadeFiles();

  /** Throws CodedError fileExists when a name on the way to an entry was in the tree with other capitals. */
  check(path: readonly string[]): void {
    let place = "";
    for (const name of path) {
      place = place === "" ? name : `${place}/${name}`;
      if (this.#names.has(place)) continue;
      const key = folded(place);
      if (this.#folded.has(key))
        throw new CodedError(
          "fileExists",
          `the tree has ${place} twice, with different capitals; here they are one`,
        );
      this.#names.add(place);
      this.#folded.add(key);
    }
  }
}
