// Makes a fresh clone ready: tools, dependencies, generated code, addon, bundles. Does only what is not done yet.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { nodeHeaders } from "./node-headers.mjs";
import { Problem, run, tool } from "./run.mjs";
import { root, whenChanged } from "./stamps.mjs";

const minimumNode = 20;

function step(text) {
  process.stderr.write(`· ${text}\n`);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > minimumNode || (major === minimumNode && minor >= 11)) return;
  throw new Problem(
    `Node.js ${minimumNode}.11 or newer is needed; this is ${process.version} (${process.execPath}).\n` +
      "Get a current one from your distribution or from https://nodejs.org/.",
  );
}

function checkCompiler() {
  const missing = ["python3", "make", "g++"].filter((name) => spawnSync(name, ["--version"]).error);
  if (missing.length === 0) return;
  throw new Problem(
    `To build the native addon, this machine needs ${missing.join(", ")}. On Debian or Ubuntu:\n` +
      `  sudo apt-get install ${missing.join(" ")}`,
  );
}

async function installDependencies() {
  await whenChanged(
    "dependencies",
    { inputs: ["package-lock.json"], outputs: ["node_modules/.package-lock.json"] },
    async () => {
      step("installing dependencies (npm ci)");
      // npm start sets npm_* variables of its own; they must not change what npm ci does.
      await run("npm", ["ci", "--no-fund", "--no-audit"], { env: { NODE_ENV: "development" } });
    },
  );
}

async function generateMessages() {
  const { generate } = await import("./proto.mjs");
  await whenChanged(
    "messages",
    {
      inputs: ["proto", "scripts/proto.mjs", "package-lock.json"],
      outputs: ["src/wire/gen/agent.js", "src/wire/gen/agent.d.ts"],
    },
    async () => {
      step("generating the message code from proto/");
      await generate();
    },
  );
}

async function buildAddon() {
  await whenChanged(
    "addon",
    { inputs: ["native", "binding.gyp", "package-lock.json"], outputs: ["build/Release/limiquantix.node"] },
    async () => {
      checkCompiler();
      step("compiling the native addon");
      const headers = await nodeHeaders();
      await run(tool("node-gyp"), ["rebuild", ...(headers ? [`--nodedir=${headers}`] : [])]);
    },
  );
}

const bundleInputs = [
  "src",
  "proto",
  "package.json",
  "package-lock.json",
  "scripts/bundle.mjs",
  "scripts/compile-ahead.cjs",
];

async function compileAhead() {
  await whenChanged(
    "code cache",
    { inputs: [...bundleInputs, "native"], outputs: ["dist/bin/agent.cjs"] },
    async () => {
      const { compileAhead } = await import("./bundle.mjs");
      await compileAhead();
    },
  );
}

async function buildBundles() {
  const outputs = ["dist/bin/agent.cjs", "dist/bin/ctl.cjs"];
  await whenChanged("bundles", { inputs: bundleInputs, outputs }, async () => {
    step("building the agent and the command-line tool");
    const { bundle } = await import("./bundle.mjs");
    await bundle();
  });
}

/** Sets up what is missing or out of date; throws a Problem that says what to install. */
export async function setup() {
  checkNode();
  mkdirSync(path.join(root, ".cache"), { recursive: true });
  await installDependencies();
  await generateMessages();
  await Promise.all([buildAddon(), buildBundles()]);
  await compileAhead();
}
