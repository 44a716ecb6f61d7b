// npm run build:win32: the addon for Windows, compiled here with mingw-w64, into prebuilds/win32-x64.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { nodeHeaders } from "./node-headers.mjs";
import { Problem, main, run } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root, whenChanged } from "./stamps.mjs";

const { resolve: resolveModule } = createRequire(import.meta.url);
/** The one with POSIX threads: the other has no std::mutex. */
const compiler = "x86_64-w64-mingw32-g++-posix";
const dlltool = "x86_64-w64-mingw32-dlltool";
const output = "prebuilds/win32-x64/limiquantix.node";

/** The ports over a driver that tests can play with, which is no part of the agent's own. */
const driverFolder = "test/support/windows/driver";
const testOutput = ".cache/win32/fake-driver.node";
const isOfPorts = (file) => /^native\/(base|port)\//.test(file) && file !== "native/port/source_win32.cc";

/** Of Windows itself; all are there on every Windows 10 and Server 2016. */
const systemLibraries = [
  "advapi32",
  "bcrypt",
  "iphlpapi",
  "netapi32",
  "ole32",
  "psapi",
  "secur32",
  "user32",
  "userenv",
  "wtsapi32",
  "ws2_32",
];

const flags = [
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
  // Windows 10 1809: the first with pseudo consoles.
  ...[
    "_WIN32_WINNT=0x0A00",
    "NTDDI_VERSION=0x0A000006",
    "UNICODE",
    "_UNICODE",
    "WIN32_LEAN_AND_MEAN",
    "NOMINMAX",
  ].map((name) => `-D${name}`),
  ...["BUILDING_NODE_EXTENSION", "NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"].map((name) => `-D${name}`),
  ...["NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"].map(
    (name) => `-D${name}`,
  ),
];

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(place);
    else yield place;
  }
}

/** Those named after another system are its own. */
const isForWindows = (file) => file.endsWith(".cc") && !file.endsWith("_linux.cc");

/** What node.exe exports and the addon may use: all of Node-API, and what is named in native/node_exports.def. */
async function importLibrary(scratch) {
  const own = readFileSync(path.join(root, "native/base/node_exports_win32.def"), "utf8");
  const nodeApi = readFileSync(
    path.join(path.dirname(resolveModule("node-api-headers")), "def/node_api.def"),
    "utf8",
  );
  const js = readFileSync(
    path.join(path.dirname(resolveModule("node-api-headers")), "def/js_native_api.def"),
    "utf8",
  );
  const names = [nodeApi, js, own].flatMap((text) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => /^(napi|node_api|uv|node)_\w+$/.test(line)),
  );
  const definition = path.join(scratch, "node.def");
  writeFileSync(definition, ["NAME node.exe", "EXPORTS", ...new Set(names), ""].join("\n"));
  const library = path.join(scratch, "libnode_delay.a");
  await run(dlltool, ["-d", definition, "-D", "node.exe", "-y", library]);
  return library;
}

/** The newest of a source and all that it includes, or Infinity when that is not known. */
function newestInput(dependencies) {
  if (!existsSync(dependencies)) return Infinity;
  const files = readFileSync(dependencies, "utf8")
    .replace(/\\\n/g, " ")
    .split(":")
    .slice(1)
    .join(":")
    .trim()
    .split(/\s+/);
  return Math.max(
    ...files.map((file) =>
      existsSync(path.resolve(root, file)) ? statSync(path.resolve(root, file)).mtimeMs : Infinity,
    ),
  );
}

async function compile(source, includes, scratch) {
  const object = path.join(scratch, `${source.replaceAll("/", "-")}.o`);
  const dependencies = `${object}.d`;
  if (existsSync(object) && statSync(object).mtimeMs > newestInput(dependencies)) return object;
  const seed = `-frandom-seed=${source}`; // the same bytes each time
  await run(compiler, [
    ...flags,
    seed,
    ...includes.map((folder) => `-I${folder}`),
    "-MD",
    "-MF",
    dependencies,
    "-c",
    source,
    "-o",
    object,
  ]);
  return object;
}

async function inTurns(items, work) {
  const results = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let index = next++; index < items.length; index = next++)
        results[index] = await work(items[index]);
    }),
  );
  return results;
}

function checkCompiler() {
  const missing = [compiler, dlltool].filter((name) => spawnSync(name, ["--version"]).error);
  if (missing.length === 0) return;
  throw new Problem(
    `To build for Windows, this machine needs ${missing.join(", ")}. On Debian or Ubuntu:\n  sudo apt-get install g++-mingw-w64-x86-64`,
  );
}

const sourcesBelow = (folder) =>
  [...filesBelow(path.join(root, folder))]
    .filter(isForWindows)
    .map((file) => path.relative(root, file))
    .sort();

async function build(sources, file) {
  checkCompiler();
  const scratch = path.join(root, ".cache/win32");
  mkdirSync(scratch, { recursive: true });
  const headers = await nodeHeaders();
  if (!headers) throw new Problem("Node's headers were not found");
  const includes = [
    "native",
    path.join(root, "node_modules/node-addon-api"),
    path.join(headers, "include/node"),
  ];
  const library = await importLibrary(scratch);
  const objects = await inTurns(sources, (source) => compile(source, includes, scratch));
  mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
  rmSync(path.join(root, file), { force: true });
  await run(compiler, [
    ...["-shared", "-static", "-s", "-Wl,--gc-sections", "-Wl,--no-insert-timestamp", "-o", file],
    ...objects,
    library,
    ...systemLibraries.map((name) => `-l${name}`),
  ]);
}

/** Builds the addon for Windows if it is out of date. */
export async function buildWin32() {
  const inputs = ["native", "scripts/build-win32.mjs", "package-lock.json"];
  await whenChanged("addon for Windows", { inputs, outputs: [output] }, async () => {
    process.stderr.write("· compiling the native addon for Windows\n");
    await build(sourcesBelow("native"), output);
  });
}

/** Builds the addon that the tests of the driver use, if it is out of date. */
export async function buildFakeDriver() {
  const inputs = ["native/base", "native/port", driverFolder, "scripts/build-win32.mjs", "package-lock.json"];
  await whenChanged("addon with a driver to play with", { inputs, outputs: [testOutput] }, async () => {
    process.stderr.write("· compiling the ports over a driver to play with\n");
    await build([...sourcesBelow("native").filter(isOfPorts), ...sourcesBelow(driverFolder)], testOutput);
  });
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    await setup();
    await buildWin32();
  });
}
