// What cannot be tried on a machine that others use: each runs with mounts and a network of its own.
import { describe, it } from "node:test";
import { isolated } from "../support/isolated.ts";

describe("sampler, isolated", () => {
  it("tells what is mounted, and what hangs, without being held up", () => isolated("sampler-mounts.ts"));
  it("survives a worker's end while a mount hangs", () => isolated("sampler-worker.ts"));
  it("calls back for each change of a link or an address, and only for those", () =>
    isolated("sampler-changes.ts"));
});
