// What limiquantix-agent as a single executable begins with: the agent is in it as source and as what V8 has made of that.
import { createRequire } from "node:module";
import path from "node:path";
import { getRawAsset } from "node:sea";
import { Script } from "node:vm";
import { addon } from "../native/addon.ts";

const folder = path.dirname(process.execPath);

/** One megabyte of ASCII. Where it is in the executable, if this Node.js can do that, and not a copy of it. */
function source(): string {
  const bytes = getRawAsset("program") as ArrayBuffer;
  return addon.externalText?.(bytes) ?? Buffer.from(bytes).toString("latin1");
}

// None for a platform whose programs could not be run where the executable was made.
const compiled = Buffer.from(getRawAsset("compiled") as ArrayBuffer);
const script = new Script(source(), {
  filename: path.join(folder, "agent.cjs"), // for stack traces
  ...(compiled.length > 0 && { cachedData: compiled }),
});
const run = script.runInThisContext() as (...module: unknown[]) => void;
run({}, createRequire(process.execPath), {}, process.execPath, folder);
