// npm run package: everything that is handed on, into dist/packages. `npm run package -- deb rpm` makes only those.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { deb } from "./package/deb.mjs";
import { changesOf, packagesFolder, version } from "./package/facts.mjs";
import { msi } from "./package/msi.mjs";
import { rpm } from "./package/rpm.mjs";
import { sbom } from "./package/sbom.mjs";
import { sourceDate } from "./package/source-date.mjs";
import { writeSums } from "./package/sums.mjs";
import { tarball } from "./package/tarball.mjs";
import { prepack } from "./prepack.mjs";
import { Problem, main, run } from "./run.mjs";
import { root, whenChanged } from "./stamps.mjs";

const machines = { "linux-x64": ["amd64", "x86_64"], "linux-arm64": ["arm64", "aarch64"] };
const agent = "limiquantix-guest-agent";

async function npm() {
  await prepack();
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", packagesFolder]);
}

/** [name, file, what makes it] of each. `npm run package -- NAME` makes all of that name. */
const makers = [
  ...Object.entries(machines).flatMap(([platform, [debian, machine]]) => [
    ["deb", `${agent}_${version}_${debian}.deb`, () => deb(platform)],
    ["deb", `limiquantix-ctl_${version}_${debian}.deb`, () => deb(platform, { product: "ctl" })],
    ["rpm", `${agent}-${version}-1.${machine}.rpm`, () => rpm(platform)],
    ["rpm", `limiquantix-ctl-${version}-1.${machine}.rpm`, () => rpm(platform, { product: "ctl" })],
    ["tar", `${agent}-${version}-${platform}.tar.xz`, () => tarball(platform)],
  ]),
  ["msi", `${agent}-${version}-win32-x64.msi`, () => msi()],
  ["npm", `${agent}-${version}.tgz`, npm],
  ["sbom", `${agent}-${version}.cdx.json`, async () => (await prepack(), sbom())],
];

const inputs = ["src", "proto", "native", "scripts", "packaging", "package.json", "package-lock.json"];
const names = [...new Set(makers.map(([name]) => name))];

await main(async () => {
  const named = process.argv.slice(2);
  const unknown = named.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new Problem(`no such package: ${unknown.join(", ")}; there are ${names.join(", ")}`);
  changesOf(version);
  mkdirSync(packagesFolder, { recursive: true });
  // Times in packages are the commit's.
  const date = ".cache/source-date";
  mkdirSync(path.join(root, ".cache"), { recursive: true });
  writeFileSync(path.join(root, date), `${await sourceDate()}\n`);
  for (const [name, file, make] of makers) {
    if (named.length > 0 && !named.includes(name)) continue;
    const output = path.join(packagesFolder, file);
    const step = {
      inputs: [...inputs, "docs", "CHANGELOG.md", date],
      outputs: [path.relative(root, output)],
    };
    await whenChanged(file, step, async () => {
      process.stderr.write(`· making ${file}\n`);
      await make();
    });
    process.stdout.write(`${output}\n`);
  }
  process.stdout.write(`${writeSums(packagesFolder)}\n`);
});
