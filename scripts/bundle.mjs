// src/cli → dist/bin: one CommonJS file per program, which starts in half the time of the modules it is made of.
// The agent is compiled ahead too: half of what is left of its start was V8 compiling it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, transform } from "esbuild";
import { lateModules, standIns } from "./lean.mjs";
import { run } from "./run.mjs";
import { root } from "./stamps.mjs";

const output = path.join(root, "dist", "bin");

function buildFacts() {
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const git = (...args) => spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout?.trim() ?? "";
  return {
    PACKAGE_VERSION: JSON.stringify(version),
    BUILD_COMMIT: JSON.stringify(git("rev-parse", "--short=12", "HEAD")),
    // The commit's time, so that the same commit makes the same bytes.
    BUILD_TIME: JSON.stringify(git("show", "-s", "--format=%cI", "HEAD")),
  };
}

/**
 * Short names in what is not written by hand: the agent keeps its source in memory, and reads it at each start. In our own
 * code a stack trace says where it was.
 */
const shortNames = {
  name: "short-names",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](node_modules|wire[\\/]gen)[\\/].*\.[cm]?js$/ }, async ({ path: file }) => {
      const { code } = await transform(readFileSync(file, "utf8"), { minify: true });
      return { contents: code, loader: "js" };
    });
  },
};

/** What only trees need is a file of its own, read when the first one is asked for. */
const apart = {
  name: "apart",
  setup({ onResolve }) {
    onResolve({ filter: /^tar-stream$/ }, () => ({ path: "./tar-stream.cjs", external: true }));
  },
};

const common = {
  absWorkingDir: root,
  outdir: "dist/bin",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minifySyntax: true,
  minifyWhitespace: true,
  // A script compiled ahead has no import(); what is imported late is required late.
  supported: { "dynamic-import": false },
  external: ["systeminformation", "pino-pretty", "serialport"],
  plugins: [shortNames],
  legalComments: "external",
  logLevel: "warning",
};

/** Systems that there is an agent for, each with a program of its own: what is for the other would only take memory. */
const systems = ["linux", "win32"];

const programOf = (system) => `agent.${system}.cjs`;

/** Makes of a program a function, with what Node would put around it. */
const asFunction = {
  banner: { js: "(function (exports, require, module, __filename, __dirname) {" },
  footer: { js: "})" },
  charset: "ascii",
};

/** Runs this system's program, with the compiled code beside it if this Node.js can use it. */
const launcher = (cache) => `#!/usr/bin/env node
"use strict";
const { existsSync, readFileSync } = require("node:fs");
const path = require("node:path");
const { Script } = require("node:vm");
const file = path.join(__dirname, \`agent.\${process.platform}.cjs\`);
const cache = path.join(__dirname, \`agent.\${process.platform}.${cache}\`);
// V8 refuses compiled code of another version or with other flags, and compiles the source then.
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
// ASCII, and a function already: one copy of it in memory is enough.
const script = new Script(readFileSync(file, "latin1"), { filename: file, cachedData });
script.runInThisContext()(exports, require, module, file, __dirname);
`;

export async function bundle() {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const define = { "import.meta.dirname": "__dirname", ...buildFacts() };
  await build({
    ...common,
    define,
    entryPoints: { ctl: "src/cli/ctl.ts" },
    banner: { js: "#!/usr/bin/env node" },
  });
  for (const system of systems) {
    await build({
      ...common,
      define: { ...define, "process.platform": JSON.stringify(system) },
      entryPoints: { [path.parse(programOf(system)).name]: "src/cli/agent.ts" },
      plugins: [apart, standIns, lateModules, shortNames],
      ...asFunction,
    });
  }

  await build({ ...common, entryPoints: { "tar-stream": "tar-stream" } });

  const program = path.join(output, programOf(process.platform));
  const hash = createHash("sha256").update(readFileSync(program)).digest("hex").slice(0, 12);
  const cache = `${hash}.code-cache`;
  writeFileSync(path.join(output, "agent.cjs"), launcher(cache));
  for (const name of ["agent.cjs", "ctl.cjs"]) chmodSync(path.join(output, name), 0o755);
}

/** Needs the addon: the agent is run until it has greeted a host, and V8's code for all that is kept. */
export async function compileAhead() {
  const launched = readFileSync(path.join(output, "agent.cjs"), "utf8");
  const [cache] = /[0-9a-f]+\.code-cache/.exec(launched) ?? [];
  await compileFor([process.execPath], {
    program: path.join(output, programOf(process.platform)),
    compiled: path.join(output, `agent.${process.platform}.${cache}`),
    folder: output,
  });
}

/** The same bytes each time. It is the one such flag that V8 may be without when it is to take them. */
const sameEachTime = "--random-seed=1";

const tryCompiled = `
const { readFileSync } = require("node:fs");
const [program, compiled] = process.argv.slice(1);
const { cachedDataRejected } = new (require("node:vm").Script)(readFileSync(program, "latin1"), {
  cachedData: readFileSync(compiled),
});
if (cachedDataRejected) throw new Error("V8 does not take what it has compiled");
`;

/** By the Node.js that is to run it, with the flags it is to have: V8 refuses what others have compiled. */
export async function compileFor([command, ...args], { program, compiled, folder, flags = [] }) {
  const ahead = path.join(root, "scripts/compile-ahead.cjs");
  await run(command, [...args, ...flags, sameEachTime, ahead, program, compiled, folder]);
  await run(command, [...args, ...flags, "-e", tryCompiled, program, compiled]);
}

/** What an executable's programs load when it is first needed, from files beside it. */
const besides = ["tar-stream", "systeminformation", "pino-pretty", "serialport"];

const allApart = {
  name: "all-apart",
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${besides.join("|")})$`) }, ({ path: name, kind }) =>
      kind === "entry-point" ? undefined : { path: `./${name}.cjs`, external: true },
    );
  },
};

const forExecutable = (system) => ({
  ...common,
  define: {
    ...{ "import.meta.dirname": "__dirname", "process.platform": JSON.stringify(system) },
    ...buildFacts(),
  },
  outdir: undefined,
  outExtension: undefined,
  charset: "ascii",
});

/** The binding of a serial line is a file of its own, beside the others: its package would look for it in node_modules. */
const serialBinding = {
  name: "serial-binding",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node-gyp-build$/ }, () => ({ path: "binding", namespace: "serial-binding" }));
    onResolve({ filter: /^\.\/serialport\.node$/ }, ({ path: name }) => ({ path: name, external: true }));
    onLoad({ filter: /./, namespace: "serial-binding" }, () => ({
      contents: `module.exports = () => require("./serialport.node")`,
    }));
  },
};

/** One program as an executable has it in itself: run by Node.js, or as a function by src/cli/launch.ts. */
export async function bundleForExecutable(source, system, file, { isFunction = false } = {}) {
  await build({
    ...forExecutable(system),
    entryPoints: [source],
    outfile: file,
    external: [],
    plugins: [allApart, ...(isFunction ? [standIns, lateModules] : []), shortNames],
    ...(isFunction && asFunction),
  });
}

/** Into `folder`, a file each: what is beside an executable. */
export async function bundleBesides(folder) {
  await build({
    ...common,
    outdir: folder,
    external: ["osx-temperature-sensor"], // systeminformation looks for it on macOS
    plugins: [serialBinding, shortNames],
    entryPoints: Object.fromEntries(besides.map((name) => [name, name])),
  });
}

/** The packages that a program and what is beside it are made of: their folders in node_modules, sorted. */
export async function packagesIn(source, system) {
  const { metafile } = await build({
    ...common,
    define: { "import.meta.dirname": "__dirname", "process.platform": JSON.stringify(system) },
    outdir: "nowhere",
    write: false,
    metafile: true,
    external: ["serialport", "osx-temperature-sensor"],
    plugins: [],
    entryPoints: { program: source, ...Object.fromEntries(besides.map((name) => [name, name])) },
  });
  const folders = Object.keys(metafile.inputs).flatMap(
    (file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.slice(0, 1) ?? [],
  );
  return [...new Set(folders)].sort();
}
