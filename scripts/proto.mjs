// proto/ → src/wire/gen: a static protobufjs module and its types.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { run, tool } from "./run.mjs";
import { root } from "./stamps.mjs";

const common = [
  "-t",
  "static-module",
  "-w",
  "es6",
  "--no-verify",
  "--no-convert",
  "--no-create",
  "--no-delimited",
  "--no-typeurl",
];
const source = ["-p", "proto", "proto/limiquantix/agent/v1/agent.proto"];

export async function generate() {
  const target = path.join(root, "src", "wire", "gen");
  mkdirSync(target, { recursive: true });
  const scratch = mkdtempSync(path.join(root, ".cache", "proto-"));
  try {
    // The types come from the comments, which the module that runs does without.
    const commented = path.join(scratch, "agent.js");
    await run(tool("pbjs"), [...common, ...source, "-o", commented]);
    await run(tool("pbts"), ["-o", path.join(target, "agent.d.ts"), commented]);
    await run(tool("pbjs"), [...common, "--no-comments", ...source, "-o", path.join(target, "agent.js")]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
