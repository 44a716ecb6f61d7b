// Compiles the addon's C++ without node-gyp, for systems other than this one: what has not changed stays.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { run } from "./run.mjs";
import { root } from "./stamps.mjs";

/** What every binary is compiled with. No exception may pass through libuv, and no symbol but Node's is needed by others. */
export const commonFlags = [
  ...[
    "-std=c++17",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fno-exceptions",
    "-fno-rtti",
    "-fvisibility=hidden",
  ],
  ...["-ffunction-sections", "-fdata-sections"],
  ...["BUILDING_NODE_EXTENSION", "NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"].map((name) => `-D${name}`),
  ...["NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"].map(
    (name) => `-D${name}`,
  ),
];

function* filesBelow(folder) {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(place);
    else yield place;
  }
}

/** The sources for a system, below `folder`: a file that is named after another one is left out. */
export function sourcesFor(system, folder = "native") {
  const others = ["linux", "win32"].filter((name) => name !== system);
  return [...filesBelow(folder)]
    .filter((file) => file.endsWith(".cc") && !others.some((other) => file.endsWith(`_${other}.cc`)))
    .sort();
}

/** The newest of a source and all that it includes, or Infinity when that is not known. */
function newestInput(dependencies) {
  if (!existsSync(dependencies)) return Infinity;
  const [, list = ""] = readFileSync(dependencies, "utf8").replace(/\\\n/g, " ").split(": ");
  const timeOf = (file) => (existsSync(file) ? statSync(file).mtimeMs : Infinity);
  return Math.max(
    ...list
      .trim()
      .split(/\s+/)
      .map((file) => timeOf(path.resolve(root, file))),
  );
}

async function compileOne({ compiler, flags, scratch }, source) {
  const object = path.join(scratch, `${source.replaceAll("/", "-")}.o`);
  const dependencies = `${object}.d`;
  if (existsSync(object) && statSync(object).mtimeMs > newestInput(dependencies)) return object;
  // The same bytes each time, wherever the clone is.
  const same = [`-frandom-seed=${source}`, `-ffile-prefix-map=${root}=.`];
  await run(compiler, [...flags, ...same, "-MD", "-MF", dependencies, "-c", source, "-o", object]);
  return object;
}

/** The objects of all sources, in their order, in a folder of `scratch` that is for these flags. */
export async function compileAll({ compiler, flags, scratch }, sources) {
  const hash = createHash("sha256")
    .update([compiler, ...flags].join("\0"))
    .digest("hex")
    .slice(0, 12);
  const how = { compiler, flags, scratch: path.join(scratch, hash) };
  mkdirSync(how.scratch, { recursive: true });
  const objects = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < sources.length; index = next++) {
      objects[index] = await compileOne(how, sources[index]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return objects;
}
