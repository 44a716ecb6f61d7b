// What the executables are made of besides our own code: for the copyright files and the SBOM.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { nodeBinary } from "../node-binaries.mjs";
import { root } from "../stamps.mjs";

const json = (file) => JSON.parse(readFileSync(file, "utf8"));

/** The npm packages whose code gets into a program: what esbuild finds from its source on, whenever it is loaded. */
export async function packagesOf(source) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [source],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "cjs",
    define: { "import.meta.dirname": "__dirname" },
    external: ["osx-temperature-sensor"], // systeminformation looks for it on macOS
    loader: { ".node": "empty" },
    outdir: "unused",
    logLevel: "silent",
  });
  const folders = new Set(
    Object.keys(metafile.inputs).flatMap(
      (input) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [],
    ),
  );
  return [...folders]
    .map((folder) => {
      const { name, version, license } = json(path.join(root, folder, "package.json"));
      return { name, version, license, licence: licenceIn(path.join(root, folder)) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The Node.js that the executables are. */
export async function nodeComponent(platform) {
  // The packages of Windows are without the text; it is the same.
  const folder = path.dirname(
    path.dirname(await nodeBinary(platform.startsWith("win32") ? "linux-x64" : platform)),
  );
  const { version } = json(path.join(folder, "package.json"));
  return {
    name: "node",
    version,
    license: "MIT",
    licence: readFileSync(path.join(folder, "LICENSE"), "utf8"),
  };
}

/** The text, or undefined when the package has none. */
function licenceIn(folder) {
  const name = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const file = name === undefined ? undefined : path.join(folder, name);
  return file !== undefined && existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
