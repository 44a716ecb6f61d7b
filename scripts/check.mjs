// npm run check: types, lint and formatting of everything; `npm run check -- --fix` mends what can be mended.
import { readdirSync } from "node:fs";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { Problem, main, run, tool } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root } from "./stamps.mjs";

const fix = process.argv.includes("--fix");

const nativeSources = readdirSync(path.join(root, "native"), { recursive: true })
  .filter((name) => /\.(cc|h)$/.test(name))
  .map((name) => path.join("native", name));

function clangFormat() {
  if (!spawnSync("clang-format", ["--version"]).error) return "clang-format";
  throw new Problem("clang-format is missing. On Debian or Ubuntu:\n  sudo apt-get install clang-format");
}

const checks = [
  ["types", tool("tsc"), ["--noEmit", "-p", "."]],
  ["lint", tool("eslint"), [".", "--max-warnings=0", ...(fix ? ["--fix"] : [])]],
  ["format", tool("prettier"), [fix ? "--write" : "--check", "--log-level=warn", "."]],
  ["C++ format", clangFormat(), [...(fix ? ["-i"] : ["--dry-run", "--Werror"]), ...nativeSources]],
];

await main(async () => {
  await setup();
  for (const [name, command, args] of checks) {
    process.stderr.write(`· ${name}\n`);
    await run(command, args);
  }
});
