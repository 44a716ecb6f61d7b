import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";

const prebuilt = (platform: string): string => path.resolve(`prebuilds/${platform}/limiquantix.node`);

describe("the shipped addon", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "prebuilds-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("needs of glibc what Node.js needs, and no other library", () => {
    const check = (file: string): { status: number | null; stderr: string } =>
      spawnSync(process.execPath, ["scripts/binary-check.mjs", file], { encoding: "utf8" });
    for (const platform of ["linux-x64", "linux-arm64"]) assert.equal(check(prebuilt(platform)).stderr, "");
    const here = check("build/Release/limiquantix.node"); // linked with this machine's libraries
    assert.equal(here.status, 2);
    assert.match(here.stderr, /needs more than glibc 2\.28 .*libstdc\+\+/s);
  });

  it("finds all it needs in musl", () => {
    const symbols = execFileSync("readelf", ["--wide", "--dyn-syms", prebuilt("linux-x64")], {
      encoding: "utf8",
    });
    const ofNode = new Set([...symbols.matchAll(/UND ((?:napi|node_api|uv)_\w+)/g)].map(([, name]) => name));
    assert.ok(ofNode.size > 50);
    const source = path.join(folder, "load.c");
    writeFileSync(
      source,
      `#include <dlfcn.h>
#include <stdio.h>
${[...ofNode].map((name) => `void ${name}(void) {}`).join("\n")}
int main(int count, char** arguments) {
  void* const loaded = dlopen(arguments[count - 1], RTLD_NOW);
  puts(loaded ? "loaded" : dlerror());
}
`,
    );
    const program = path.join(folder, "load");
    execFileSync("musl-gcc", ["-rdynamic", source, "-o", program]);
    assert.equal(execFileSync(program, [prebuilt("linux-x64")], { encoding: "utf8" }), "loaded\n");
  });

  it("samples on arm64", () => {
    const node = nodeFor("linux-arm64");
    const script = path.join(folder, "sample.cjs");
    writeFileSync(
      script,
      `const { Sampler } = require(${JSON.stringify(prebuilt("linux-arm64"))});
const sampler = new Sampler({});
sampler.sample(5000).then((sample) => {
  console.log(process.arch, sample.processCount, sample.memory.totalBytes);
  sampler.close();
});
`,
    );
    const emulated = ["-L", "/usr/aarch64-linux-gnu", node, script];
    const output = execFileSync("qemu-aarch64-static", emulated, { encoding: "utf8", timeout: 60_000 });
    assert.match(output, /^arm64 \d+ \d{8,}\n$/);
  });

  it("is the same bytes each time, wherever it is built", () => {
    const clone = path.join(folder, "clone");
    execFileSync("git", ["clone", "-q", "--no-hardlinks", process.cwd(), clone]);
    cpSync("native", path.join(clone, "native"), { recursive: true }); // as it is here, committed or not
    symlinkSync(path.resolve("node_modules"), path.join(clone, "node_modules"));
    const build = "import('./scripts/build-linux.mjs').then(({ buildLinux }) => buildLinux(['linux-x64']))";
    execFileSync(process.execPath, ["-e", build], { cwd: clone, stdio: "pipe" });
    const built = readFileSync(path.join(clone, "prebuilds/linux-x64/limiquantix.node"));
    assert.ok(built.equals(readFileSync(prebuilt("linux-x64"))));
  });
});

/** A Node.js of another platform, from the npm registry once. */
function nodeFor(platform: string): string {
  const cache = path.resolve(".cache/nodes");
  const node = path.join(cache, platform, "package/bin/node");
  if (existsSync(node)) return node;
  mkdirSync(path.join(cache, platform), { recursive: true });
  const version = process.version.slice(1);
  const spec = `node-${platform}@${version}`;
  execFileSync("npm", ["pack", "--silent", "--pack-destination", cache, spec]);
  execFileSync("tar", [
    "-xzf",
    path.join(cache, `node-${platform}-${version}.tgz`),
    "-C",
    path.join(cache, platform),
  ]);
  return node;
}
