// What cannot be tried with the mounts that others use.
import { describe, it } from "node:test";
import { isolated } from "../support/isolated.ts";

describe("files, isolated", () => {
  it(
    "answers for file systems that do not, and goes on with all else",
    { skip: process.getuid?.() === 0 ? false : "needs root" },
    () => isolated("files-hang.ts"),
  );
});
