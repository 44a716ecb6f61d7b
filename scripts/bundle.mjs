// src/cli → dist/bin: one CommonJS file per program. A single file starts in half the time of the modules it is
// made of. What is rarely used stays outside and is loaded when it is needed.
import { chmodSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { root } from "./stamps.mjs";

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
    define: { "import.meta.dirname": "__dirname" },
    banner: { js: "#!/usr/bin/env node" },
    external: ["systeminformation", "pino-pretty"],
    logLevel: "warning",
    metafile: true,
  });
  for (const output of Object.keys(result.metafile.outputs)) chmodSync(path.join(root, output), 0o755);
}
