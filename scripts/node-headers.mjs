// Where the C headers of the running Node.js are, without a download from outside the npm registry.
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { run } from "./run.mjs";
import { root } from "./stamps.mjs";

const hasHeaders = (folder) => existsSync(path.join(folder, "include", "node", "common.gypi"));

/** A folder for node-gyp's --nodedir, or undefined to let node-gyp fetch the headers itself. */
export async function nodeHeaders() {
  const installed = path.dirname(path.dirname(process.execPath));
  if (hasHeaders(installed)) return installed;

  const cached = path.join(root, ".cache", `node-headers-${process.version}`);
  if (hasHeaders(cached)) return cached;
  const scratch = mkdtempSync(path.join(root, ".cache", "headers-"));
  try {
    // The npm package that carries this very Node.js has its headers too.
    const spec = `node-linux-${process.arch}@${process.version.slice(1)}`;
    await run("npm", ["pack", "--silent", "--pack-destination", scratch, spec]);
    await run("sh", ["-c", `tar -xzf ${scratch}/*.tgz -C ${scratch} package/include`]);
    renameSync(path.join(scratch, "package"), cached);
    return hasHeaders(cached) ? cached : undefined;
  } catch {
    return undefined; // a version that was not published there: node-gyp knows the project's own site
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
