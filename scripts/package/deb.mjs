// limiquantix-guest-agent_VERSION_ARCH.deb, by dpkg-deb: the same bytes from the same commit.
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { buildExecutables } from "../executable.mjs";
import { run } from "../run.mjs";
import { root } from "../stamps.mjs";
import { changes, longDescription, maintainer, summary, version } from "./about.mjs";
import { licences } from "./copyright.mjs";
import { configFiles, stage } from "./layout.mjs";
import { sourceDate } from "./source-date.mjs";

export const architectures = { "linux-x64": "amd64", "linux-arm64": "arm64" };

const name = "limiquantix-guest-agent";
const scripts = ["postinst", "prerm", "postrm"];

function* filesBelow(folder, place = "") {
  for (const entry of readdirSync(path.join(folder, place)).sort()) {
    const below = path.join(place, entry);
    if (lstatSync(path.join(folder, below)).isDirectory()) yield* filesBelow(folder, below);
    else yield below;
  }
}

const inKiB = (bytes) => Math.ceil(bytes / 1024);

function write(file, text, mode = 0o644) {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

/** Debian's changelog, of one entry: what CHANGELOG.md has of this version. */
function debianChangelog(date) {
  const lines = changes()
    .split("\n")
    .join(" ")
    .split(/ (?:###[^-]*)?- |^###[^-]*- /)
    .slice(1)
    .flatMap((entry) => wrapped(entry.trim().replace(/\s+/g, " "), 74))
    .map(([isFirst, line]) => `  ${isFirst ? "*" : " "} ${line}`);
  return `${name} (${version}) stable; urgency=medium\n\n${lines.join("\n")}\n\n -- ${maintainer}  ${date}\n`;
}

/** [whether it is the first, the line], of words that fill lines of at most so many characters. */
function wrapped(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length <= width || lines.at(-1) === "") lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines.map((line, index) => [index === 0, line]);
}

async function addDocuments(platform, folder, date) {
  const documents = path.join(folder, "usr/share/doc", name);
  const { copyright, texts } = await licences(platform, "src/cli/agent.ts");
  write(path.join(documents, "copyright"), copyright);
  write(path.join(documents, "third-party-licences.gz"), gzipSync(texts, { level: 9 }));
  write(path.join(documents, "changelog.gz"), gzipSync(debianChangelog(date), { level: 9 }));
  const overrides = path.join(folder, "usr/share/lintian/overrides", name);
  write(overrides, readFileSync(path.join(root, "packaging/deb/lintian-overrides")));
}

function addControl(platform, folder) {
  const control = path.join(folder, "DEBIAN");
  const files = [...filesBelow(folder)].filter((file) => lstatSync(path.join(folder, file)).isFile());
  const bytes = files.reduce((sum, file) => sum + lstatSync(path.join(folder, file)).size, 0);
  const sums = files
    .filter((file) => !configFiles.includes(`/${file}`))
    .map(
      (file) =>
        `${createHash("md5")
          .update(readFileSync(path.join(folder, file)))
          .digest("hex")}  ${file}\n`,
    );
  write(
    path.join(control, "control"),
    `Package: ${name}
Version: ${version}
Architecture: ${architectures[platform]}
Maintainer: ${maintainer}
Installed-Size: ${inKiB(bytes)}
Depends: libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= 9)
Recommends: udev
Section: admin
Priority: optional
Description: ${summary}
${longDescription.replace(/^/gm, " ")}
`,
  );
  write(path.join(control, "conffiles"), configFiles.map((file) => `${file}\n`).join(""));
  write(path.join(control, "md5sums"), sums.join(""));
  for (const script of scripts) {
    cpSync(path.join(root, "packaging/deb", script), path.join(control, script));
    chmodSync(path.join(control, script), 0o755);
  }
}

/**
 * Makes the package of "linux-x64" or "linux-arm64" in `output`, and gives its path. `compression`: as dpkg-deb has it, for
 * tests that rather have it at once.
 */
export async function deb(
  platform,
  { output = path.join(root, "dist/packages"), compression = ["-Zxz", "-z6"] } = {},
) {
  await buildExecutables([platform]);
  const epoch = await sourceDate();
  const scratch = mkdtempSync(path.join(tmpdir(), "deb-"));
  try {
    const folder = path.join(scratch, "root");
    mkdirSync(folder, { mode: 0o755 });
    stage(platform, folder);
    await addDocuments(platform, folder, new Date(epoch * 1000).toUTCString().replace("GMT", "+0000"));
    addControl(platform, folder);
    mkdirSync(output, { recursive: true });
    const file = path.join(output, `${name}_${version}_${architectures[platform]}.deb`);
    await run("dpkg-deb", ["--root-owner-group", ...compression, "--build", folder, file], {
      env: { SOURCE_DATE_EPOCH: String(epoch) },
    });
    return file;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
