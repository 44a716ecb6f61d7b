import { copyFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { type Wine, windowsPath } from "./wine.ts";

const usualAddon = "prebuilds/win32-x64/limiquantix.node";

/**
 * Makes one file of a program and all that it imports, for node.exe; gives its path as Windows sees it. `addonFile` is what
 * it has for an addon.
 */
export async function bundleFor(wine: Wine, entry: string, addonFile = usualAddon): Promise<string> {
  const name = path.basename(entry, ".ts");
  const folder = path.join(wine.folder, "bundles", name);
  mkdirSync(path.join(folder, "prebuilds/win32-x64"), { recursive: true });
  copyFileSync(addonFile, path.join(folder, usualAddon));
  const outfile = path.join(folder, `${name}.cjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    define: { "import.meta.dirname": "__dirname" },
    external: ["systeminformation", "pino-pretty", "serialport"],
    logLevel: "warning",
  });
  return windowsPath(outfile);
}
