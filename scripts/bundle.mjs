// src/cli → dist/bin: one CommonJS file per program. A single file starts in half the time of the modules it is
// made of. What is rarely used stays outside and is loaded when it is needed.
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { root } from "./stamps.mjs";

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

export async function bundle() {
  const result = await build({
    absWorkingDir: root,
    entryPoints: { agent: "src/cli/agent.ts", ctl: "src/cli/ctl.ts" },
    outdir: "dist/bin",
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minifySyntax: true,
    minifyWhitespace: true,
    define: { "import.meta.dirname": "__dirname", ...buildFacts() },
    banner: { js: "#!/usr/bin/env node" },
    external: ["systeminformation", "pino-pretty"],
    logLevel: "warning",
    metafile: true,
  });
  for (const output of Object.keys(result.metafile.outputs)) chmodSync(path.join(root, output), 0o755);
}
