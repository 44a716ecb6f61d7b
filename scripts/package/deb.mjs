// .deb packages of the agent and of limiquantix-ctl.
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { buildExecutables } from "../executable.mjs";
import { run } from "../run.mjs";
import { root } from "../stamps.mjs";
import { changesOf, maintainer, packagesFolder, version as ownVersion } from "./facts.mjs";
import { products, stageProduct } from "./products.mjs";
import { debScript } from "./scriptlets.mjs";
import { sourceDate } from "./source-date.mjs";

const architectures = { "linux-x64": "amd64", "linux-arm64": "arm64" };

/** dpkg-deb's: 26.8 MB in 40 s; level 9 would save 0.4 MB for twice the time. */
const small = ["-Zxz", "-z6"];

/** Of no use for anything but tests: made, and installed, in no time. */
export const quick = ["-Znone"];

const scripts = { agent: ["postinst", "prerm", "postrm"], ctl: [] };

export function* filesBelow(folder, name = "") {
  for (const entry of readdirSync(path.join(folder, name)).sort()) {
    const below = path.join(name, entry);
    if (lstatSync(path.join(folder, below)).isDirectory()) yield* filesBelow(folder, below);
    else yield below;
  }
}

function control({ name, summary, description }, architecture, version, kib) {
  return `Package: ${name}
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${kib}
Depends: libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= 5.2)
Section: admin
Priority: optional
Description: ${summary}
${description.map((line) => ` ${line}`).join("\n")}
`;
}

function changelog(name, version, seconds) {
  const date = new Date(seconds * 1000).toUTCString().replace("GMT", "+0000");
  const entries = changesOf(ownVersion).map(
    (entry) => `  * ${entry.replaceAll(/(.{1,74})(?: |$)/g, "$1\n    ").trimEnd()}`,
  );
  return `${name} (${version}) stable; urgency=medium\n\n${entries.join("\n")}\n\n -- ${maintainer}  ${date}\n`;
}

/** Puts what dpkg-deb packs under `folder`. */
async function fill(product, platform, folder, version) {
  const { name, configFiles } = products[product];
  await stageProduct(product, platform, folder);
  const documents = path.join(folder, "usr/share/doc", name);
  const log = gzipSync(changelog(name, version, await sourceDate()), { level: 9 });
  writeFileSync(path.join(documents, "changelog.gz"), log, { mode: 0o644 });
  const overrides = path.join(root, "packaging/deb", `${name}.lintian-overrides`);
  if (existsSync(overrides)) {
    const target = path.join(folder, "usr/share/lintian/overrides", name);
    mkdirSync(path.dirname(target), { recursive: true, mode: 0o755 });
    cpSync(overrides, target);
    chmodSync(target, 0o644);
  }
  const files = [...filesBelow(folder)];
  const bytes = files.reduce((sum, file) => sum + lstatSync(path.join(folder, file)).size, 0);
  const meta = path.join(folder, "DEBIAN");
  mkdirSync(meta, { mode: 0o755 });
  const put = (file, text, mode = 0o644) => {
    writeFileSync(path.join(meta, file), text);
    chmodSync(path.join(meta, file), mode);
  };
  put("control", control(products[product], architectures[platform], version, Math.ceil(bytes / 1024)));
  const sums = files
    .filter((file) => lstatSync(path.join(folder, file)).isFile() && !configFiles.includes(`/${file}`))
    .map(
      (file) =>
        `${createHash("md5")
          .update(readFileSync(path.join(folder, file)))
          .digest("hex")}  ${file}\n`,
    );
  put("md5sums", sums.join(""));
  if (configFiles.length > 0) put("conffiles", configFiles.map((file) => `${file}\n`).join(""));
  for (const script of scripts[product]) put(script, debScript(script), 0o755);
}

/**
 * Makes the .deb of a product, "agent" or "ctl", for "linux-x64" or "linux-arm64" in `output` and returns its path; the same
 * bytes from the same commit. `compression` is dpkg-deb's; `version` is for tests of upgrades.
 */
export async function deb(
  platform,
  { product = "agent", output = packagesFolder, compression = small, version = ownVersion } = {},
) {
  await buildExecutables([...new Set(["linux-x64", platform])]);
  process.umask(0o022); // for the modes of folders
  const scratch = mkdtempSync(path.join(tmpdir(), "deb-"));
  try {
    const folder = path.join(scratch, "root");
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    await fill(product, platform, folder, version);
    mkdirSync(output, { recursive: true });
    const file = path.join(output, `${products[product].name}_${version}_${architectures[platform]}.deb`);
    const unfinished = `${file}.${process.pid}.unfinished`;
    await run("dpkg-deb", ["--root-owner-group", ...compression, "--build", folder, unfinished], {
      env: { SOURCE_DATE_EPOCH: String(await sourceDate()) },
    });
    renameSync(unfinished, file);
    return file;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
