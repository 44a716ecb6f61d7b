// npm run executable: limiquantix-agent, in a folder with its addon, and limiquantix-ctl as single executables, into
// dist/executable/<platform>. Node.js is in them; what they are made of is the same as for npm.
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inject } from "postject";
import { buildLinux } from "./build-linux.mjs";
import { buildWin32 } from "./build-win32.mjs";
import { checkLinuxBinary } from "./binary-check.mjs";
import { bundleBesides, bundleForExecutable, compileFor } from "./bundle.mjs";
import { nodeBinary } from "./node-binaries.mjs";
import { main, run } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root, whenChanged } from "./stamps.mjs";

/** What Node.js looks for to learn that it is one: of its documentation on single executables. */
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

const platforms = {
  "linux-x64": { prefix: "x86_64-linux-gnu-", suffix: "", serial: "glibc" },
  "linux-arm64": { prefix: "aarch64-linux-gnu-", suffix: "", serial: "armv8.glibc" },
  "win32-x64": { prefix: undefined, suffix: ".exe", serial: undefined },
};

/** What runs the Node.js of a platform here. Windows: nothing, and V8 compiles there when the agent starts. */
const runners = {
  "linux-x64": [],
  "linux-arm64": ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"],
};

/** Threads for V8's background work do nothing for an agent that sleeps. */
const flags = ["--v8-pool-size=0"];

/** Node.js without symbols; it has to be before the program is put into it, which strip would take for rubbish. */
async function bareNode(platform, scratch) {
  const { prefix, suffix } = platforms[platform];
  const shipped = await nodeBinary(platform);
  const file = path.join(scratch, `node${suffix}`);
  if (prefix === undefined) {
    await run("osslsigncode", ["remove-signature", "-in", shipped, "-out", file]);
    return file;
  }
  copyFileSync(shipped, file);
  chmodSync(file, 0o755);
  await run(`${prefix}strip`, ["--strip-all", file]);
  return file;
}

/** What is put into Node.js: the host's program, with V8's code for it. */
async function blobOfCtl(platform, scratch) {
  const main = "limiquantix-ctl.cjs";
  await bundleForExecutable("src/cli/ctl.ts", platform.split("-")[0], path.join(scratch, main));
  // V8's compiled code is for the platform that compiles it.
  return blob({ main, useCodeCache: platform === `${process.platform}-${process.arch}` }, scratch);
}

/** The agent's, with V8's code for all that it runs until it has greeted a host; src/cli/launch.ts starts it. */
async function blobOfAgent(platform, scratch, folder) {
  const main = "launch.cjs";
  const [program, compiled] = ["limiquantix-agent.cjs", "compiled"].map((name) => path.join(scratch, name));
  const [system] = platform.split("-");
  await bundleForExecutable("src/cli/agent.ts", system, program, { isFunction: true });
  await bundleForExecutable("src/cli/launch.ts", system, path.join(scratch, main));
  writeFileSync(compiled, "");
  if (runners[platform] !== undefined) {
    const node = [...runners[platform], await nodeBinary(platform)];
    await compileFor(node, { program, compiled, folder, flags });
  }
  return blob({ main, useCodeCache: false, assets: { program, compiled } }, scratch);
}

async function blob({ main, ...settings }, scratch) {
  const output = path.join(scratch, `${main}.blob`);
  const config = path.join(scratch, `${main}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      main, // as it is called in stack traces: without the folder of who has built it
      output,
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      ...settings,
      execArgv: flags,
      execArgvExtension: "none", // NODE_OPTIONS, which could have a root's daemon load anything
    }),
  );
  await run(await nodeBinary(`${process.platform}-${process.arch}`), ["--experimental-sea-config", config], {
    cwd: scratch,
  });
  return readFileSync(output);
}

/** What the agent loads from files beside it. */
async function putBeside(platform, folder) {
  const { prefix, serial } = platforms[platform];
  mkdirSync(folder, { recursive: true });
  copyFileSync(
    path.join(root, "prebuilds", platform, "limiquantix.node"),
    path.join(folder, "limiquantix.node"),
  );
  const binding = path.join(
    root,
    "node_modules/@serialport/bindings-cpp/prebuilds",
    platform,
    ["@serialport+bindings-cpp", serial, "node"].filter(Boolean).join("."),
  );
  // Node.js needs the library of C++ itself.
  if (prefix !== undefined) await checkLinuxBinary(binding, { readelf: `${prefix}readelf`, asNode: true });
  copyFileSync(binding, path.join(folder, "serialport.node"));
  await bundleBesides(folder);
}

/** postject tells of each nameless section of Node.js that it has none. */
async function withoutChatter(work) {
  const { warn, log } = console;
  const quiet =
    (print) =>
    (...words) => {
      if (!/Can't find string offset for section name/.test(words.join(" "))) print(...words);
    };
  Object.assign(console, { warn: quiet(warn), log: quiet(log) });
  try {
    await work();
  } finally {
    Object.assign(console, { warn, log });
  }
}

async function build(platform) {
  process.stderr.write(`· building the executables for ${platform}\n`);
  const { suffix } = platforms[platform];
  const output = path.join(root, "dist/executable", platform);
  const scratch = path.join(root, ".cache/executable", platform);
  for (const folder of [output, scratch]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const beside = path.join(output, "limiquantix-agent");
  await putBeside(platform, beside);
  const node = await bareNode(platform, scratch);
  const programs = [
    [path.join(beside, `limiquantix-agent${suffix}`), await blobOfAgent(platform, scratch, beside)],
    [path.join(output, `limiquantix-ctl${suffix}`), await blobOfCtl(platform, scratch)],
  ];
  for (const [file, contents] of programs) {
    copyFileSync(node, file);
    await withoutChatter(() => inject(file, "NODE_SEA_BLOB", contents, { sentinelFuse: fuse }));
    chmodSync(file, 0o755);
  }
}

/** Builds what is out of date. */
export async function buildExecutables(names = Object.keys(platforms)) {
  await setup();
  if (names.some((name) => name.startsWith("linux"))) await buildLinux();
  if (names.some((name) => name.startsWith("win32"))) await buildWin32();
  for (const platform of names) {
    const inputs = [
      "src",
      "proto",
      "native",
      "scripts",
      "package.json",
      "package-lock.json",
      "packaging/node",
    ];
    const outputs = [`dist/executable/${platform}/limiquantix-agent/limiquantix.node`];
    await whenChanged(`executables for ${platform}`, { inputs, outputs }, () => build(platform));
  }
}

if (process.argv[1] === import.meta.filename) {
  await main(() => buildExecutables(process.argv.length > 2 ? process.argv.slice(2) : undefined));
}
