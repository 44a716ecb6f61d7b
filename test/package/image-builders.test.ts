import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
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
import { after, before, describe, it } from "node:test";
import { makeArchive, runAsRoot } from "../support/install/archive.ts";
import { treeOf } from "../support/install/trees.ts";
import { cloudTree } from "../support/vm/cloud-init/image.ts";

/** The blocks of docs/image-builders.md that are marked to be run, by their names. */
const blocks = new Map(
  [
    ...readFileSync("docs/image-builders.md", "utf8").matchAll(/<!-- run: (\S+) -->\n\n```sh\n([^`]*)```\n/g),
  ].map(([, name = "", lines = ""]) => [name, lines]),
);

let scratch: string;
const at = (name: string): string => path.join(scratch, name);
before(() => {
  scratch = mkdtempSync(path.join(tmpdir(), "images-"));
  const script = `import("./scripts/package/deb.mjs")
    .then(({ deb }) => deb("linux-x64", ${JSON.stringify({ output: scratch, compression: ["-Znone"] })}))`;
  execFileSync(process.execPath, ["-e", script]);
  makeArchive("linux-x64", scratch);
});
after(() => {
  runAsRoot(["rm", "-rf", scratch]);
});

/** Runs a block, as root where it writes to a system's files; gives its output. */
function runBlock(name: string, asRoot: boolean): string {
  const script = `set -eu; cd '${scratch}'\n${blocks.get(name) ?? assert.fail(`no block ${name}`)}`;
  if (!asRoot) return execFileSync("sh", ["-c", script], { encoding: "utf8" });
  const { status, output } = runAsRoot(["sh", "-c", script]);
  assert.equal(status, 0, output);
  return output;
}

/** Debian, in the folder root. */
async function newRoot(): Promise<void> {
  const tree = await cloudTree();
  runAsRoot(["rm", "-rf", at("root")]);
  mkdirSync(at("root"));
  const { status, output } = runAsRoot([
    ...["tar", "-x", "--no-same-owner", "--exclude=./dev/*", "-f", tree, "-C", at("root")],
  ]);
  assert.equal(status, 0, output);
}

const links = (names: readonly string[]): string[] =>
  names.filter((name) => /^\.?\/etc\/systemd\/.*\.wants\/limiquantix/.test(name));

describe("the lines of docs/image-builders.md", () => {
  it("are all run", () => {
    assert.deepEqual([...blocks.keys()], ["mmdebstrap", "chroot", "install.sh", "cloud-init", "sums"]);
  });

  it("make an image by mmdebstrap, with the agent enabled", () => {
    runBlock("mmdebstrap", false);
    const files = execFileSync("tar", ["-tf", at("image.tar")], { encoding: "utf8" }).split("\n");
    assert.equal(links(files).length, 1);
    assert.ok(files.includes("./usr/bin/limiquantix-agent"));
    assert.ok(!files.includes("./agent.deb"));
  });

  it("install by dpkg, in a folder where nothing runs, what is the same in each image", async () => {
    await newRoot();
    const was = treeOf(at("root"));
    assert.match(runBlock("chroot", true), /is valid|ok|valid/i);
    const installed = treeOf(at("root"));
    assert.equal(links([...installed.keys()]).length, 1);
    assert.equal(installed.get("/var/lib/limiquantix"), "folder 700");
    assert.deepEqual(readdirSync(at("root/var/lib/limiquantix")), []);
    assert.equal(lstatSync(at("root/etc/machine-id")).size, 0);
    const added = [...installed.keys()].filter(
      // dpkg's own; and this folder has no devices.
      (name) => !was.has(name) && !/^\/(var\/lib\/dpkg\/|var\/log\/dpkg\.log|dev\/null)/.test(name),
    );
    assert.deepEqual(
      added.filter((name) => !/limiquantix/.test(name)),
      [],
    );
  });

  it("install by install.sh", async () => {
    await newRoot();
    runBlock("install.sh", true);
    const installed = treeOf(at("root"));
    assert.equal(links([...installed.keys()]).length, 1);
    assert.equal(lstatSync(at("root/etc/machine-id")).size, 0);
    const { status, output } = runAsRoot(["chroot", at("root"), "limiquantix-agent", "--check-config"]);
    assert.equal(status, 0, output);
  });

  it("make cloud-init's seed disk, whose user-data has no error for it", async () => {
    for (const name of ["from-seed-disk.yaml", "from-url.yaml"])
      copyFileSync(path.join("packaging/cloud-init", name), at(name));
    runBlock("cloud-init", false);
    const listed = execFileSync("xorriso", ["-indev", at("seed.iso"), "-find", "/"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    for (const name of ["user-data", "meta-data", "limiquantix-guest-agent_"])
      assert.ok(listed.includes(`'/${name}`), listed);
    if (!existsSync(at("root/usr/bin/cloud-init"))) await newRoot();
    for (const name of ["from-seed-disk.yaml", "from-url.yaml"]) {
      runAsRoot(["cp", at(name), at("root/user-data")]);
      const { status, output } = runAsRoot([
        ...["chroot", at("root"), "cloud-init", "schema", "--config-file", "/user-data"],
      ]);
      assert.equal(status, 0, output);
      assert.match(output, /Valid cloud-config/);
    }
  });

  it("check the sums", () => {
    const archive = readdirSync(scratch).find((name) => name.endsWith(".tar.xz")) ?? "";
    const sum = createHash("sha256")
      .update(readFileSync(at(archive)))
      .digest("hex");
    writeFileSync(at("SHA256SUMS"), `${sum}  ${archive}\n${sum}  not-here.msi\n`);
    assert.equal(runBlock("sums", false), `${archive}: OK\n`);
    writeFileSync(at(archive), "another");
    assert.throws(() => runBlock("sums", false));
    rmSync(at(archive));
  });
});
