// npm run build: everything that is made from the sources, the host library with its types included.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { main, run, tool } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root, whenChanged } from "./stamps.mjs";

await main(async () => {
  await setup();
  const inputs = [
    "src/host",
    "src/wire",
    "src/version.ts",
    "package.json",
    "proto",
    "tsconfig.json",
    "tsconfig.build.json",
    "package-lock.json",
  ];
  await whenChanged("library", { inputs, outputs: ["dist/lib/host/index.js"] }, async () => {
    process.stderr.write("· building the host library\n");
    const output = path.join(root, "dist", "lib");
    rmSync(output, { recursive: true, force: true });
    await run(tool("tsc"), ["-p", "tsconfig.build.json"]);
    const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
    writeFileSync(path.join(output, "version.js"), `export const version = ${JSON.stringify(version)};\n`);
    cpSync(path.join(root, "src/wire/gen"), path.join(output, "wire/gen"), { recursive: true });
  });
});
