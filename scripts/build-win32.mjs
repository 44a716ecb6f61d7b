// npm run build:win32: the addon for Windows, compiled here with mingw-w64, into prebuilds/win32-x64.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { commonFlags, compileAll, sourcesFor } from "./compile.mjs";
import { nodeHeaders } from "./node-headers.mjs";
import { Problem, main, run } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root, whenChanged } from "./stamps.mjs";

const { resolve: resolveModule } = createRequire(import.meta.url);
/** The one with POSIX threads: the other has no std::mutex. */
const compiler = "x86_64-w64-mingw32-g++-posix";
const dlltool = "x86_64-w64-mingw32-dlltool";
const output = "prebuilds/win32-x64/limiquantix.node";

/** What decides how, besides the sources. */
const scripts = ["scripts/build-win32.mjs", "scripts/compile.mjs"];

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
  "ntdll",
  "ole32",
  "psapi",
  "secur32",
  "user32",
  "userenv",
  "wtsapi32",
  "ws2_32",
];

const flags = [
  ...commonFlags,
  // Windows 10 1809: the first with pseudo consoles.
  ...["-D_WIN32_WINNT=0x0A00", "-DNTDDI_VERSION=0x0A000006"],
  ...["-DUNICODE", "-D_UNICODE", "-DWIN32_LEAN_AND_MEAN", "-DNOMINMAX"],
];

/** What node.exe exports and the addon may use: all of Node-API, and what native/base/node_exports_win32.def names. */
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

function checkCompiler() {
  const missing = [compiler, dlltool].filter((name) => spawnSync(name, ["--version"]).error);
  if (missing.length === 0) return;
  throw new Problem(
    `To build for Windows, this machine needs ${missing.join(", ")}. On Debian or Ubuntu:\n  sudo apt-get install g++-mingw-w64-x86-64`,
  );
}

async function build(sources, file) {
  checkCompiler();
  const scratch = path.join(root, ".cache/win32");
  mkdirSync(scratch, { recursive: true });
  const headers = await nodeHeaders();
  if (!headers) throw new Problem("Node's headers were not found");
  const includes = ["native", "node_modules/node-addon-api", path.join(headers, "include/node")];
  const how = { compiler, flags: [...flags, ...includes.map((folder) => `-I${folder}`)], scratch };
  const library = await importLibrary(scratch);
  const objects = await compileAll(how, sources);
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
  const inputs = ["native", ...scripts, "package-lock.json"];
  await whenChanged("addon for Windows", { inputs, outputs: [output] }, async () => {
    process.stderr.write("· compiling the native addon for Windows\n");
    await build(sourcesFor("win32"), output);
  });
}

/** Builds the addon that the tests of the driver use, if it is out of date. */
export async function buildFakeDriver() {
  const inputs = ["native/base", "native/port", driverFolder, ...scripts, "package-lock.json"];
  await whenChanged("addon with a driver to play with", { inputs, outputs: [testOutput] }, async () => {
    process.stderr.write("· compiling the ports over a driver to play with\n");
    await build([...sourcesFor("win32").filter(isOfPorts), ...sourcesFor("win32", driverFolder)], testOutput);
  });
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    await setup();
    await buildWin32();
  });
}
