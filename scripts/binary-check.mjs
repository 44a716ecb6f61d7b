// node scripts/binary-check.mjs FILE: refuses a binary that would not load where it is to.
import { Problem, main, run } from "./run.mjs";

/** The glibc that Node.js 20 needs itself. */
const newest = { GLIBC: "2.28" };

/** Libraries that glibc and musl both answer to. */
const libraries = ["libc.so.6"];

/** What Node.js 22 needs besides. */
const newestOfNode = { GLIBCXX: "3.4.21", CXXABI: "1.3.9", GCC: "3.0" };
const librariesOfNode = ["libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2"];

function isNewer(version, than) {
  const [ours, theirs] = [version, than].map((text) => text.split(".").map(Number));
  for (let i = 0; i < ours.length; i++) {
    if (ours[i] !== (theirs[i] ?? 0)) return ours[i] > (theirs[i] ?? 0);
  }
  return false;
}

/**
 * Throws a Problem that names each symbol that is newer than glibc 2.28 or of a C++ library, and each other library.
 * `asNode`: what only ever is loaded by the Node.js that is shipped may need what that needs.
 */
export async function checkLinuxBinary(file, { readelf = "readelf", asNode = false } = {}) {
  const versions = asNode ? { ...newest, ...newestOfNode } : newest;
  const known = new Set(asNode ? [...libraries, ...librariesOfNode] : libraries);
  const symbols = await run(readelf, ["--wide", "--dyn-syms", file]);
  const wrong = [];
  for (const [, name, version] of symbols.matchAll(/UND[ \t]+([^\s@]+)(?:@(\S+))?/g)) {
    if (/^(napi_|node_api_|uv_)/.test(name)) continue;
    const [, set, numbers] = /^([A-Z]+)_([\d.]+)$/.exec(version ?? "") ?? [];
    if (versions[set] === undefined) {
      if (!/WEAK/.test(symbols.split("\n").find((line) => line.includes(` ${name}`)) ?? ""))
        wrong.push(`${name} (of ${version ?? "nobody"})`);
      continue;
    }
    if (isNewer(numbers, versions[set]))
      wrong.push(`${name} (of ${set === "GLIBC" ? "glibc" : set} ${numbers})`);
  }
  const dynamic = await run(readelf, ["--wide", "--dynamic", file]);
  for (const [, library] of dynamic.matchAll(/NEEDED.*\[(.*)\]/g)) {
    if (!known.has(library)) wrong.push(`the library ${library}`);
  }
  if (wrong.length > 0) {
    const all = asNode ? "the Node.js that is shipped needs" : `glibc ${newest.GLIBC} and musl have`;
    throw new Problem(`${file} needs more than ${all}:\n  ${wrong.join("\n  ")}`);
  }
}

if (process.argv[1] === import.meta.filename) await main(() => checkLinuxBinary(process.argv[2]));
