// node scripts/binary-check.mjs FILE: refuses a binary that would not load where it is to.
import { Problem, main, run } from "./run.mjs";

/** The glibc that Node.js 20 needs itself. */
const newestGlibc = [2, 28];

/** Libraries that glibc and musl both answer to. */
const libraries = new Set(["libc.so.6"]);

/** Throws a Problem that names each symbol that is newer than glibc 2.28 or of a C++ library, and each other library. */
export async function checkLinuxBinary(file, { readelf = "readelf" } = {}) {
  const symbols = await run(readelf, ["--wide", "--dyn-syms", file]);
  const wrong = [];
  for (const [, name, version] of symbols.matchAll(/UND[ \t]+([^\s@]+)(?:@(\S+))?/g)) {
    if (/^(napi_|node_api_|uv_)/.test(name)) continue;
    const [, numbers] = /^GLIBC_([\d.]+)$/.exec(version ?? "") ?? [];
    if (numbers === undefined) {
      if (!/WEAK/.test(symbols.split("\n").find((line) => line.includes(` ${name}`)) ?? ""))
        wrong.push(`${name} (of ${version ?? "nobody"})`);
      continue;
    }
    const [major, minor] = numbers.split(".").map(Number);
    if (major > newestGlibc[0] || (major === newestGlibc[0] && minor > newestGlibc[1]))
      wrong.push(`${name} (of glibc ${numbers})`);
  }
  const dynamic = await run(readelf, ["--wide", "--dynamic", file]);
  for (const [, library] of dynamic.matchAll(/NEEDED.*\[(.*)\]/g)) {
    if (!libraries.has(library)) wrong.push(`the library ${library}`);
  }
  if (wrong.length > 0) {
    throw new Problem(
      `${file} needs more than glibc ${newestGlibc.join(".")} and musl have:\n  ${wrong.join("\n  ")}`,
    );
  }
}

if (process.argv[1] === import.meta.filename) await main(() => checkLinuxBinary(process.argv[2]));
