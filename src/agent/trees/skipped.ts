import { CodedError } from "../../wire/errors.ts";
import { fileError } from "../files/file-error.ts";

/** As many are told by name. */
const mostListed = 100;

/** What was left out of a tree, or is not as it was. */
export class Skipped {
  /** "a/b: a socket"; the first hundred. */
  readonly list: string[] = [];
  count = 0;

  /** `name` is relative to the tree. */
  add(name: string, reason: string): void {
    this.count++;
    if (this.list.length < mostListed) this.list.push(`${name}: ${reason}`);
  }

  addError(name: string, error: unknown): void {
    this.add(name, error instanceof CodedError ? error.message : fileError(error, "read it").message);
  }
}
