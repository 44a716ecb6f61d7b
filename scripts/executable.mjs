// npm run executable: limiquantix-agent, in a folder with its addon, and limiquantix-ctl as single executables, into
// dist/executable/<platform>. Node.js is in them; what they are made of is the same as for npm.
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inject } from "postject";
import { buildLinux } from "./build-linux.mjs";
import { buildWin32 } from "./build-win32.mjs";
import { bundleAgentForExecutable, bundleBesides, bundleForExecutable } from "./bundle.mjs";
import { nodeBinary } from "./node-binaries.mjs";
import { main, run } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root, whenChanged } from "./stamps.mjs";

/** What Node.js looks for to learn that it is one: of its documentation on single executables. */
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

const platforms = {
  "linux-x64": { strip: "x86_64-linux-gnu-strip", suffix: "" },
  "linux-arm64": { strip: "aarch64-linux-gnu-strip", suffix: "" },
  "win32-x64": { strip: undefined, suffix: ".exe" },
};

/** Where each is from, and the folder in dist/executable/<platform> that it is put into. */
const programs = {
  "limiquantix-agent": {
    source: "src/cli/executable.ts",
    folder: "limiquantix-agent",
    assets: agentAssets,
  },
  "limiquantix-ctl": { source: "src/cli/ctl.ts", folder: "." },
};

/** Threads for V8's background work do nothing for an agent that sleeps. */
const flags = ["--v8-pool-size=0"];

/** Node.js without symbols; it has to be before the program is put into it, which strip would take for rubbish. */
async function bareNode(platform, scratch) {
  const { strip, suffix } = platforms[platform];
  const shipped = await nodeBinary(platform);
  const file = path.join(scratch, `node${suffix}`);
  if (strip === undefined) {
    await run("osslsigncode", ["remove-signature", "-in", shipped, "-out", file]);
    return file;
  }
  copyFileSync(shipped, file);
  chmodSync(file, 0o755);
  await run(strip, ["--strip-all", file]);
  return file;
}

/** How a program of Node.js for `platform` is run here; undefined when it cannot be. */
function runnerOf(platform) {
  return platform === `${process.platform}-${process.arch}` ? [] : undefined;
}

/** The agent, and V8's code for what of it runs until it has greeted a host; empty when it cannot be run here. */
async function agentAssets(platform, scratch) {
  const program = path.join(scratch, "agent.cjs");
  const compiled = path.join(scratch, "agent.code-cache");
  await bundleAgentForExecutable(platform.split("-")[0], program);
  writeFileSync(compiled, "");
  const runner = runnerOf(platform);
  if (runner) {
    copyFileSync(
      path.join(root, "prebuilds", platform, "limiquantix.node"),
      path.join(scratch, "limiquantix.node"),
    );
    const ahead = [path.join(root, "scripts/compile-ahead.cjs"), program, compiled];
    // With the flags of the executable: V8 takes no code that was made with others.
    const [command, ...args] = [...runner, await nodeBinary(platform), ...flags, ...ahead];
    await run(command, args);
  }
  return { program, compiled };
}

/** What is put into Node.js. */
async function blobOf(name, { source, assets }, platform, scratch) {
  const program = path.join(scratch, `${name}.cjs`);
  const blob = path.join(scratch, `${name}.blob`);
  await bundleForExecutable(source, platform.split("-")[0], program);
  const config = path.join(scratch, `${name}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      main: program,
      output: blob,
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      // V8's compiled code is for the platform that compiles it.
      useCodeCache: platform === `${process.platform}-${process.arch}`,
      execArgv: flags,
      ...(assets && { assets: await assets(platform, scratch) }),
    }),
  );
  await run(await nodeBinary(`${process.platform}-${process.arch}`), ["--experimental-sea-config", config]);
  return readFileSync(blob);
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
  const node = await bareNode(platform, scratch);
  for (const [name, program] of Object.entries(programs)) {
    const file = path.join(output, program.folder, `${name}${suffix}`);
    mkdirSync(path.dirname(file), { recursive: true });
    copyFileSync(node, file);
    await inject(file, "NODE_SEA_BLOB", await blobOf(name, program, platform, scratch), {
      sentinelFuse: fuse,
    });
    chmodSync(file, 0o755);
  }
  const agent = path.join(output, programs["limiquantix-agent"].folder);
  copyFileSync(
    path.join(root, "prebuilds", platform, "limiquantix.node"),
    path.join(agent, "limiquantix.node"),
  );
  await bundleBesides(agent);
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
