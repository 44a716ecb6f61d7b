// limiquantix-guest-agent-VERSION-linux-ARCH.tar.xz: the agent with an install.sh, for any Linux with glibc.
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildExecutables } from "../executable.mjs";
import { Problem, main, run } from "../run.mjs";
import { root } from "../stamps.mjs";
import { configFiles, folders, programFolder, stage } from "./layout.mjs";
import { sourceDate } from "./source-date.mjs";

/** As `uname -m` has it, where the dynamic loader is, and what packs its code best of what xz 5.2 unpacks. */
const platforms = {
  "linux-x64": { machine: "x86_64", loader: "/lib64/ld-linux-x86-64.so.2", filter: ["--x86"] },
  "linux-arm64": { machine: "aarch64", loader: "/lib/ld-linux-aarch64.so.1", filter: [] },
};

/** Of xz. The threads have blocks of this size each, so that their number does not change the bytes. */
const best = ["--lzma2=preset=6,dict=16MiB", "--block-size=48MiB"];

/** In this order they are one script. */
const scriptParts = ["head.sh", "paths.sh", "checks.sh", "files.sh", "inits.sh", "main.sh"];

/** [init, file of this repository, where, mode]: what is not for every guest, besides what the layout has. */
const forInits = [
  ["openrc", "packaging/openrc/limiquantix-agent", "/etc/init.d/limiquantix-agent", 0o755],
  ["sysv", "packaging/sysv/limiquantix-agent", "/etc/init.d/limiquantix-agent", 0o755],
];

/** What of the layout is for one init. */
const initOf = (name) => (/^\/usr\/lib\/(systemd|udev)\//.test(name) ? "systemd" : "any");

function* filesBelow(folder, name = "") {
  for (const entry of readdirSync(path.join(folder, name)).sort()) {
    const below = `${name}/${entry}`;
    if (lstatSync(path.join(folder, below)).isDirectory()) yield* filesBelow(folder, below);
    else yield below;
  }
}

/** Makes what is in the archive under the empty `folder`; the executables are built. */
export function archiveFolder(platform, folder, version) {
  const { machine, loader } = platforms[platform];
  const tree = path.join(folder, "root");
  mkdirSync(tree, { mode: 0o755 });
  stage(platform, tree);
  writeFileSync(path.join(folder, "release"), `version=${version}\nmachine=${machine}\nloader=${loader}\n`);
  const script = path.join(folder, "install.sh");
  const parts = scriptParts.map((name) => readFileSync(path.join(root, "packaging/install", name), "utf8"));
  writeFileSync(script, parts.join("\n"));
  chmodSync(script, 0o755);
  const lines = folders.map(([name, mode]) => `folder any ${mode.toString(8)} ${name} -`);
  lines.push(`folder any 755 ${programFolder} -`);
  for (const name of filesBelow(tree)) {
    const entry = lstatSync(path.join(tree, name));
    const mode = (entry.mode & 0o777).toString(8);
    const source = `root${name}`;
    if (entry.isSymbolicLink()) lines.push(`link any - ${name} ${readlinkSync(path.join(tree, name))}`);
    else if (!configFiles.includes(name)) lines.push(`file ${initOf(name)} ${mode} ${name} ${source}`);
    else {
      // As it is shipped as well: an upgrade tells by that whether it was changed.
      lines.push(`config any ${mode} ${name} ${source}`);
      lines.push(`file any 644 ${programFolder}/${path.basename(name)} ${source}`);
    }
  }
  for (const [init, from, name, mode] of forInits) {
    const source = `inits/${init}`;
    mkdirSync(path.join(folder, "inits"), { recursive: true });
    cpSync(path.join(root, from), path.join(folder, source));
    lines.push(`file ${init} ${mode.toString(8)} ${name} ${source}`);
  }
  lines.push(`file any 755 ${programFolder}/install.sh install.sh`);
  writeFileSync(path.join(folder, "contents"), `${lines.join("\n")}\n`);
}

/**
 * Makes the archive of "linux-x64" or "linux-arm64" in `output` and returns its path; the same bytes from the same
 * commit. `compression` is xz's.
 */
export async function tarball(
  platform,
  { output = path.join(root, "dist/packages"), compression = best } = {},
) {
  if (!(platform in platforms))
    throw new Problem(`no archive for ${platform}; there are ${Object.keys(platforms).join(", ")}`);
  await buildExecutables([platform]);
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const name = `limiquantix-guest-agent-${version}-${platform}`;
  const archive = path.join(output, `${name}.tar.xz`);
  const scratch = mkdtempSync(path.join(tmpdir(), "archive-"));
  try {
    const folder = path.join(scratch, name);
    mkdirSync(folder, { mode: 0o755 });
    archiveFolder(platform, folder, version);
    const tar = path.join(scratch, "archive.tar");
    await run("tar", [
      ...["--create", "--file", tar, "--directory", scratch],
      ...["--format=gnu", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"],
      ...["--mode=u+w,go+rX,go-w", `--mtime=@${await sourceDate()}`, name],
    ]);
    await run("xz", ["--threads=2", ...platforms[platform].filter, ...compression, tar]);
    mkdirSync(output, { recursive: true });
    rmSync(archive, { force: true });
    cpSync(`${tar}.xz`, archive);
    return archive;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    const named = process.argv.slice(2);
    for (const platform of named.length > 0 ? named : Object.keys(platforms))
      process.stdout.write(`${await tarball(platform)}\n`);
  });
}
