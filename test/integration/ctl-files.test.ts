// ls, cat, stat, mkdir, rm and mv with the real daemon: this machine is the guest.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ctl, ctlEnvironment, ctlProgram, finished } from "../support/ctl.ts";
import { failed, objects, one, succeeded } from "../support/ctl-result.ts";
import { DaemonVm } from "../support/daemon-vm.ts";
import { Sockets } from "../support/sockets.ts";
import { Terminal } from "../support/tmux.ts";
import { needsTool } from "../support/tools.ts";

const vm = new DaemonVm();
const sockets = new Sockets();
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "guest-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const inFolder = (name: string): string => path.join(folder, name);
const there = (name: string): string => `web1:${inFolder(name)}`;

describe("limiquantix-ctl ls", () => {
  it("prints a name a line into a pipe, hidden ones with -a, and obeys none of them", async () => {
    for (const name of ["b", "a", ".hidden", "c\u001b[31m\nd", "größe"]) writeFileSync(inFolder(name), "");
    assert.equal(succeeded(await vm.run("ls", `web1:${folder}`)), "a\nb\nc\\x1b[31m\\x0ad\ngröße\n");
    assert.match(succeeded(await vm.run("ls", "-a", `web1:${folder}/`)), /^\.hidden\na\n/);
    assert.equal(succeeded(await vm.run("ls", "--vm", "web1", folder)).split("\n").length, 5);
  });

  it("prints with -l what ls prints", async () => {
    writeFileSync(inFolder("file"), "x".repeat(12345));
    writeFileSync(inFolder("setuid"), "");
    chmodSync(inFolder("setuid"), 0o4711);
    mkdirSync(inFolder("sticky"));
    chmodSync(inFolder("sticky"), 0o1777);
    symlinkSync("file", inFolder("link"));
    symlinkSync("nowhere", inFolder("dangling"));
    execFileSync("mkfifo", [inFolder("pipe")]);
    const env = { ...process.env, LC_ALL: "C.UTF-8" };
    const expected = execFileSync("ls", ["-l", "--time-style=long-iso", folder], { env, encoding: "utf8" });
    assert.equal(succeeded(await vm.run("ls", "-l", `web1:${folder}`)), expected.replace(/^total.*\n/, ""));
    assert.match(succeeded(await vm.run("ls", "-lh", there("file"))), / 12 KiB 2/);
  });

  it("shows a file, a link to nothing, and what is behind a link to a folder", async () => {
    mkdirSync(inFolder("real"));
    writeFileSync(inFolder("real/inside"), "");
    symlinkSync("real", inFolder("to-folder"));
    symlinkSync("nowhere", inFolder("dangling"));
    assert.equal(succeeded(await vm.run("ls", there("real/inside"))), `${inFolder("real/inside")}\n`);
    assert.equal(succeeded(await vm.run("ls", there("to-folder"))), "inside\n");
    assert.match(succeeded(await vm.run("ls", "-l", there("dangling"))), /^l.*dangling -> nowhere\n$/);
    assert.equal(succeeded(await vm.run("ls", there("real"), "-1a")), "inside\n");
  });

  it("prints nothing of an empty folder", async () => {
    assert.equal(succeeded(await vm.run("ls", "-l", `web1:${folder}`)), "");
  });

  it("gives programs an object a line", async () => {
    writeFileSync(inFolder("a"), "12345");
    mkdirSync(inFolder("b"));
    const [a, b, ...more] = objects(succeeded(await vm.run("ls", "--json", `web1:${folder}`)));
    assert.deepEqual(more, []);
    assert.deepEqual([a?.["name"], a?.["kind"], a?.["sizeBytes"], a?.["mode"]], ["a", "file", 5, "0644"]);
    assert.deepEqual([b?.["path"], b?.["kind"]], [inFolder("b"), "directory"]);
    const { mtimeNs } = statSync(inFolder("a"), { bigint: true });
    assert.equal(new Date(String(a?.["modifiedAt"])).getTime(), Math.round(Number(mtimeNs) / 1e6));
  });

  it("lists large folders whole, in every form", async () => {
    const count = 2500;
    for (let index = 0; index < count; index++) writeFileSync(inFolder(`file-${index}`), "");
    for (const option of ["-1", "-l", "--json"]) {
      const lines = succeeded(await vm.run("ls", option, `web1:${folder}`))
        .trimEnd()
        .split("\n");
      assert.equal(new Set(lines).size, count, option);
    }
  });

  it("tells what is wrong, with the path", async () => {
    failed(await vm.run("ls", there("nope")), { code: 1, message: /QXGA-4001.*\/nope/ });
    failed(await vm.run("ls", "etc"), { code: 2, message: /etc is not in a guest/ });
    failed(await vm.run("ls", "/etc"), { code: 2, message: /which VM/ });
    failed(await vm.run("ls", "nope:/etc"), { code: 3, message: /no VM is named nope/ });
    failed(await vm.run("ls", "--vm", "db", "web1:/etc"), { code: 2, message: /web1 and --vm db/ });
    const { code, stdout } = await vm.run("ls", "--json", there("nope"));
    assert.equal(code, 1);
    assert.equal((one(stdout)["error"] as { agentCode: string }).agentCode, "QXGA-4001");
  });

  describe("in a terminal", needsTool("tmux", "tmux"), () => {
    it("fills it with columns, folders marked", async () => {
      for (const name of ["alpha", "beta", "gamma", "delta"]) writeFileSync(inFolder(name), "");
      mkdirSync(inFolder("folder"));
      const script = `${process.execPath} ${await ctlProgram()} ls web1:${folder}; echo "ended with $?"; exec cat`;
      const env = ctlEnvironment(vm.options.env);
      await using terminal = await Terminal.open({ columns: 30, rows: 10, script, env });
      const screen = await terminal.shows(/ended with 0/);
      assert.match(screen, /^alpha {2}delta {4}gamma\nbeta {3}folder\/\nended/);
    });
  });
});

describe("limiquantix-ctl cat", () => {
  it("prints the bytes of files, one after the other", async () => {
    const bytes = randomBytes(3_000_001);
    writeFileSync(inFolder("a"), bytes);
    writeFileSync(inFolder("b"), "end\n");
    const child = await vm.start(["cat", there("a"), inFolder("b")]);
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    assert.equal(await new Promise((resolve) => child.once("close", resolve)), 0);
    assert.ok(Buffer.concat(chunks).equals(Buffer.concat([bytes, Buffer.from("end\n")])));
  });

  it("prints files that do not tell their size", async () => {
    assert.equal(succeeded(await vm.run("cat", "web1:/proc/version")), readFileSync("/proc/version", "utf8"));
  });

  it("goes on with the others when one cannot be read, and fails at the end", async () => {
    writeFileSync(inFolder("a"), "a\n");
    const { code, stdout, stderr } = await vm.run(
      "cat",
      there("a"),
      there("nope"),
      there("a"),
      `web1:${folder}`,
    );
    assert.deepEqual([code, stdout], [1, "a\na\n"]);
    assert.match(stderr, /^limiquantix-ctl: .*\/nope.*\nlimiquantix-ctl: .*guest-.*\n$/);
  });

  it("ends well when its reader has enough", async () => {
    writeFileSync(inFolder("large"), Buffer.alloc(8_000_000, "line\n"));
    const child = await vm.start(["cat", there("large")]);
    child.stdout?.once("data", () => child.stdout?.destroy());
    const { code, stderr } = await finished(child);
    assert.deepEqual([code, stderr], [0, ""]);
  });

  it("has no --json", async () => {
    const { code, stdout } = await vm.run("cat", "--json", there("a"));
    assert.equal(code, 2);
    assert.equal((one(stdout)["error"] as { code: string }).code, "usage");
  });
});

describe("limiquantix-ctl stat", () => {
  it("tells the facts of each path", async () => {
    writeFileSync(inFolder("a"), "x".repeat(2000), { mode: 0o640 });
    symlinkSync("a", inFolder("l"));
    const text = succeeded(await vm.run("stat", there("a"), there("l")));
    assert.match(text, new RegExp(`^Path +${inFolder("a")}\nType +file\nSize +2\\.0 KiB \\(2000 B\\)\n`));
    assert.match(text, /^Mode +0640 -rw-r-----$/m);
    assert.match(text, /^Modified +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m);
    assert.match(text, /\n\nPath +\S+\/l\nType +symbolic link\nTarget +a\n/);
    assert.match(succeeded(await vm.run("stat", "-L", there("l"))), /^Type +file$/m);
  });

  it("gives programs an object for each path, errors too", async () => {
    writeFileSync(inFolder("a"), "");
    const { code, stdout } = await vm.run("stat", "--json", there("a"), there("nope"));
    const [a, nope] = objects(stdout);
    assert.equal(code, 1);
    assert.deepEqual([a?.["kind"], a?.["linkCount"]], ["file", 1]);
    assert.equal(nope?.["path"], inFolder("nope"));
    assert.equal((nope["error"] as { agentCode: string }).agentCode, "QXGA-4001");
  });
});

describe("limiquantix-ctl mkdir", () => {
  it("makes folders, with those above and a mode", async () => {
    assert.equal(succeeded(await vm.run("mkdir", there("a"), there("b"))), "");
    assert.equal(succeeded(await vm.run("mkdir", "-p", "-m", "750", there("c/d"))), "");
    assert.equal(statSync(inFolder("c/d")).mode & 0o7777, 0o750);
    assert.equal(succeeded(await vm.run("mkdir", "-p", there("c/d"))), "");
    failed(await vm.run("mkdir", there("a")), { code: 1, message: /QXGA-4003.*\/a/ });
    failed(await vm.run("mkdir", there("x/y")), { code: 1, message: /QXGA-400.*\/x/ });
    failed(await vm.run("mkdir", "-m", "rwx", there("z")), { code: 2, message: /octal/ });
  });
});

describe("limiquantix-ctl rm", () => {
  it("removes files and links, and folders only with -r", async () => {
    writeFileSync(inFolder("a"), "");
    mkdirSync(inFolder("d/e"), { recursive: true });
    writeFileSync(inFolder("d/e/f"), "");
    symlinkSync("d", inFolder("l"));
    failed(await vm.run("rm", there("d")), { code: 1, message: /\/d is a folder.*--recursive/ });
    assert.equal(succeeded(await vm.run("rm", there("a"), there("l"))), "");
    assert.ok(!existsSync(inFolder("a")) && existsSync(inFolder("d/e/f")));
    assert.equal(succeeded(await vm.run("rm", "-r", there("d"))), "");
    assert.ok(!existsSync(inFolder("d")));
  });

  it("fails for what is not there, unless -f is given, and removes the others", async () => {
    writeFileSync(inFolder("a"), "");
    failed(await vm.run("rm", there("nope"), there("a")), { code: 1, message: /QXGA-4001.*\/nope/ });
    assert.ok(!existsSync(inFolder("a")));
    assert.equal(succeeded(await vm.run("rm", "-f", there("nope"), there("nope/x"))), "");
    assert.deepEqual(one(succeeded(await vm.run("rm", "-rf", "--json", there("nope")))), {
      path: inFolder("nope"),
      removed: false,
    });
  });

  it("does not remove all of the guest", async () => {
    for (const all of ["/", "//", "/.", "/.."]) {
      failed(await vm.run("rm", "-rf", `web1:${all}`), { code: 2, message: /all of the guest/ });
    }
  });
});

describe("limiquantix-ctl mv", () => {
  it("renames, and moves into a folder", async () => {
    writeFileSync(inFolder("a"), "a");
    writeFileSync(inFolder("b"), "b");
    mkdirSync(inFolder("d"));
    assert.equal(succeeded(await vm.run("mv", there("a"), inFolder("b"))), "");
    assert.equal(readFileSync(inFolder("b"), "utf8"), "a");
    assert.deepEqual(one(succeeded(await vm.run("mv", "--json", there("b"), there("d")))), {
      from: inFolder("b"),
      to: inFolder("d/b"),
    });
    assert.ok(existsSync(inFolder("d/b")));
  });

  it("replaces nothing with -n", async () => {
    writeFileSync(inFolder("a"), "a");
    writeFileSync(inFolder("b"), "b");
    failed(await vm.run("mv", "-n", there("a"), there("b")), { code: 1, message: /QXGA-4003/ });
    assert.equal(readFileSync(inFolder("b"), "utf8"), "b");
    assert.ok(lstatSync(inFolder("a")).isFile());
  });

  it("knows one VM", async () => {
    failed(await vm.run("mv", "web1:/a", "db:/b"), { code: 2, message: /one VM at a time/ });
    failed(await vm.run("mv", there("nope"), there("b")), { code: 1, message: /QXGA-4001.*\/nope/ });
  });
});

describe("a command for files", () => {
  it("gives up at --timeout", async () => {
    await sockets.serve({ answer: ({ fileStat }) => (fileStat ? "none" : undefined) });
    const result = await ctl(["stat", "--socket", sockets.path, "--timeout", "300ms", "/x"]);
    failed(result, { code: 4, message: /given up after 0\.3 s/ });
  });

  it("ends when the connection does", async () => {
    const agent = await sockets.serve({
      answer({ fileStat }) {
        if (fileStat)
          setImmediate(() => {
            agent.dropClients();
          });
        return fileStat ? "none" : undefined;
      },
    });
    assert.equal((await ctl(["stat", "--socket", sockets.path, "/x", "/y"])).code, 7);
  });
});
