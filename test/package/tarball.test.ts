import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { Archive, asRoot, makeArchive, runAsRoot } from "../support/install/archive.ts";
import { busyboxSystem } from "../support/install/trees.ts";
import { until } from "../support/until.ts";
import { debianTree } from "../support/vm/debian.ts";

/** Until an agent listens that has just been installed. */
const startMs = 20_000;

let archive: Archive;
before(() => {
  archive = new Archive("linux-x64");
});
after(() => {
  archive[Symbol.dispose]();
});

/** Runs the agent that is installed in `root`, with a /proc of its own there, and asks it from outside. */
async function withAgentIn(root: string, ask: (client: Client) => Promise<void>): Promise<void> {
  const socket = "run/agent.sock";
  const script = `
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    exec chroot "$1" /usr/bin/limiquantix-agent --port "unix-listen:/$2" --log-level error`;
  const inNamespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script];
  const [program = "unshare", ...args] = [...asRoot, ...inNamespaces, "sh", root, socket] as string[];
  const agent: ChildProcess = spawn(program, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { PATH: process.env.PATH },
  });
  const ended = once(agent, "exit");
  try {
    await until(
      "the agent's socket",
      () => {
        assert.equal(agent.exitCode, null, "the agent ended");
        return existsSync(path.join(root, socket));
      },
      startMs,
    );
    await using client = await connect({ socket: path.join(root, socket), timeoutSeconds: 20 });
    await ask(client);
  } finally {
    agent.kill("SIGKILL"); // and by that what it runs
    await ended;
  }
}

/** Asks for what needs the system's libraries, tools and files. */
async function answers(client: Client, root: string): Promise<void> {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  assert.equal((await client.ping()).version, version);
  const { stdout, exitCode } = await client.execute({ command: "echo from $(cat /etc/name)" });
  assert.deepEqual([stdout, exitCode], ["from the guest\n", 0]);
  const local = path.join(archive.folderFor("copies"), "file");
  writeFileSync(local, "contents");
  await client.files.upload(local, "/tmp/file", { checksum: true });
  assert.equal(readFileSync(path.join(root, "tmp/file"), "utf8"), "contents");
  mkdirSync(path.join(root, "tmp/tree/deep"), { recursive: true });
  writeFileSync(path.join(root, "tmp/tree/deep/file"), "of the guest");
  const copy = path.join(archive.folderFor("copies"), path.basename(root));
  await client.files.downloadTree("/tmp/tree", copy);
  assert.equal(readFileSync(path.join(copy, "deep/file"), "utf8"), "of the guest");
  assert.ok((await client.telemetry()).memoryTotalBytes > 0);
}

describe("the archive for any Linux", () => {
  it("is the same bytes each time", () => {
    const output = archive.folderFor("again");
    const again = makeArchive("linux-x64", output, { TZ: "Asia/Tokyo", LC_ALL: "C.UTF-8" });
    assert.equal(path.basename(again), path.basename(archive.file));
    assert.ok(readFileSync(again).equals(readFileSync(archive.file)));
    rmSync(again);
  });

  it("is of root, and of nobody else's to write to", () => {
    const listed = execFileSync("tar", ["-tvf", archive.file, "--numeric-owner"], { encoding: "utf8" });
    const lines = listed.trim().split("\n");
    assert.ok(lines.length > 20);
    for (const line of lines) assert.match(line, /^[-dl]r.x?.*r.[-x]r.[-x] 0\/0 /);
  });

  it("runs in Debian 11, whose glibc is 2.31, where it was installed from outside", async () => {
    const tar = await debianTree("bullseye", {
      ...{ release: "bullseye", architecture: "amd64", configured: true },
      packages: ["libstdc++6", "systemd-sysv"],
    });
    const root = archive.folderFor("bullseye");
    const unpacked = runAsRoot(["tar", "-x", "--no-same-owner", "--exclude=./dev/*", "-f", tar, "-C", root]);
    assert.equal(unpacked.status, 0, unpacked.output);
    writeFileSync(path.join(root, "etc/name"), "the guest");
    const installed = archive.install(["--root", root]);
    assert.match(installed.output, /is installed in .* \(init: systemd\)/);
    await withAgentIn(root, (client) => answers(client, root));
  });

  it("runs in a system of busybox that has the libraries", async () => {
    const root = archive.folderFor("busybox");
    busyboxSystem(root, path.join(archive.folder, "root/usr/lib/limiquantix-agent/limiquantix-agent"));
    writeFileSync(path.join(root, "etc/name"), "the guest");
    writeFileSync(path.join(root, "etc/inittab"), "::sysinit:/bin/true\n");
    assert.match(archive.install(["--root", root]).output, /\(init: busybox\)/);
    await withAgentIn(root, (client) => answers(client, root));
    // Again, by what is in there, as a Dockerfile has it: nothing is started, since that is not the running system.
    mkdirSync(path.join(root, "archive"));
    const copied = runAsRoot(["cp", "-a", `${archive.folder}/.`, path.join(root, "archive")]);
    assert.equal(copied.status, 0, copied.output);
    const inside = runAsRoot(["chroot", root, "/bin/sh", "/archive/install.sh"]);
    assert.match(inside.output, /is installed \(init: busybox\)\n$/);
    const removed = runAsRoot(["chroot", root, "/usr/lib/limiquantix-agent/install.sh", "--uninstall"]);
    assert.match(removed.output, /kept: \/etc\/limiquantix\n$/);
    assert.ok(!existsSync(path.join(root, "usr/lib/limiquantix-agent")));
  });
});
