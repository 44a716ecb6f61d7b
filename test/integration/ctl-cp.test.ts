// cp with the real daemon: this machine is the guest. What must stand still in the middle is a FakeAgent's.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type CtlResult, ctlEnvironment, ctlProgram, finished, startCtl } from "../support/ctl.ts";
import { failed, one, succeeded } from "../support/ctl-result.ts";
import { DaemonVm } from "../support/daemon-vm.ts";
import { Sockets } from "../support/sockets.ts";
import { StalledFiles } from "../support/stalled-files.ts";
import { Terminal } from "../support/tmux.ts";
import { needsTool } from "../support/tools.ts";
import { until } from "../support/until.ts";

const vm = new DaemonVm();
const sockets = new Sockets();
/** Two folders: what is here, and what is in the guest. */
let here = "";
let guest = "";

beforeEach(() => {
  here = mkdtempSync(path.join(tmpdir(), "here-"));
  guest = mkdtempSync(path.join(tmpdir(), "guest-"));
});

afterEach(() => {
  rmSync(here, { recursive: true, force: true });
  rmSync(guest, { recursive: true, force: true });
});

const local = (name: string): string => path.join(here, name);
const there = (name: string): string => `web1:${path.join(guest, name)}`;
const guestFile = (name: string): string => path.join(guest, name);
const cp = (...words: string[]): Promise<CtlResult> => vm.run("cp", ...words);

/** Runs a line of bash in which $CTL is limiquantix-ctl. */
async function inShell(line: string): Promise<CtlResult> {
  const env = ctlEnvironment({ ...vm.options.env, CTL: `${process.execPath} ${await ctlProgram()}` });
  return finished(spawn("bash", ["-c", line], { cwd: here, env, stdio: ["ignore", "pipe", "pipe"] }));
}

describe("limiquantix-ctl cp", () => {
  it("copies a file into the guest and out of it, with mode and time", async () => {
    const bytes = randomBytes(3_000_001);
    const time = new Date("2020-02-03T04:05:06.789Z");
    writeFileSync(local("a"), bytes);
    chmodSync(local("a"), 0o751);
    utimesSync(local("a"), time, time);
    assert.equal(succeeded(await cp(local("a"), there("b"))), "");
    assert.equal(succeeded(await cp(there("b"), local("c"))), "");
    for (const file of [guestFile("b"), local("c")]) {
      assert.ok(readFileSync(file).equals(bytes));
      const { mode, mtimeMs } = statSync(file);
      assert.deepEqual([mode & 0o7777, Math.floor(mtimeMs)], [0o751, time.getTime()]);
    }
  });

  it("puts several files into a folder, on either side", async () => {
    writeFileSync(local("a"), "a");
    writeFileSync(local("b"), "b");
    mkdirSync(guestFile("d"));
    mkdirSync(local("e"));
    assert.equal(succeeded(await cp(local("a"), local("b"), there("d"))), "");
    assert.equal(succeeded(await cp(there("d/a"), there("d/b"), local("e/"))), "");
    assert.deepEqual([readFileSync(local("e/a"), "utf8"), readFileSync(local("e/b"), "utf8")], ["a", "b"]);
    failed(await cp(local("a"), local("b"), there("d/a")), { code: 1, message: /\/d\/a is not a folder/ });
    failed(await cp(there("d/a"), there("d/b"), local("nope")), { code: 1, message: /nope is not a folder/ });
    failed(await cp(local("a"), there("nope/")), { code: 1, message: /nope\/ is not there/ });
    failed(await cp(there("d/a"), local("a/")), { code: 1, message: /a\/.*not a (folder|directory)/ });
  });

  it("copies the others when one cannot be copied", async () => {
    writeFileSync(local("a"), "a");
    mkdirSync(guestFile("d"));
    const { code, stderr, stdout } = await cp("--json", local("nope"), local("a"), local("."), there("d"));
    assert.equal(code, 1);
    assert.match(stderr, /nope: no such file[^]*is a folder; with --recursive/);
    const { copies, bytes } = one(stdout) as { copies: Record<string, unknown>[]; bytes: number };
    assert.deepEqual(
      copies.map((copy) => Object.keys(copy)),
      [
        ["from", "error"],
        ["from", "error"],
        ["from", "to", "files", "bytes"],
      ],
    );
    assert.equal(bytes, 1);
    assert.equal(readFileSync(guestFile("d/a"), "utf8"), "a");
  });

  it("copies within the guest", async () => {
    writeFileSync(guestFile("a"), "a", { mode: 0o600 });
    mkdirSync(guestFile("d"));
    assert.equal(succeeded(await cp(there("a"), there("d"))), "");
    assert.equal(statSync(guestFile("d/a")).mode & 0o777, 0o600);
    failed(await cp("-n", there("a"), there("d")), { code: 1, message: /QXGA-4003/ });
    failed(await cp("-r", there("d"), there("e")), { code: 1, message: /exec -- cp -a/ });
  });

  it("takes standard input, a pipe, and gives standard output", async () => {
    const bytes = randomBytes(2_000_001);
    writeFileSync(local("a"), bytes);
    assert.equal(succeeded(await inShell(`cat a | $CTL cp - web1:${guest}/b`)), "");
    assert.ok(readFileSync(guestFile("b")).equals(bytes));
    assert.equal(succeeded(await inShell(`$CTL cp <(cat a) web1:${guest}/c`)), "");
    assert.ok(readFileSync(guestFile("c")).equals(bytes));
    assert.equal(succeeded(await inShell(`$CTL cp web1:${guest}/b - | cmp - a`)), "");
    assert.equal(
      succeeded(await inShell(`$CTL cp web1:/proc/version -`)),
      readFileSync("/proc/version", "utf8"),
    );
  });

  it("leaves nothing of standard input that breaks off, and the target as it was", async () => {
    writeFileSync(guestFile("b"), "old");
    const child = await vm.start(["cp", "-", there("b")], { stdin: "pipe" });
    const result = finished(child);
    child.stdin?.write(randomBytes(1_000_000));
    await until("it has arrived", () =>
      readdirSync(guest).some((name) => name !== "b" && statSync(guestFile(name)).size > 900_000),
    );
    child.kill("SIGINT");
    assert.deepEqual(await result, { code: 130, stdout: "", stderr: "" });
    await until("nothing of it is left", () => readdirSync(guest).length === 1);
    assert.equal(readFileSync(guestFile("b"), "utf8"), "old");
  });

  it("replaces nothing with -n", async () => {
    writeFileSync(local("a"), "new");
    writeFileSync(guestFile("b"), "old");
    symlinkSync("nowhere", local("dangling"));
    mkdirSync(local("d"));
    mkdirSync(guestFile("d"));
    failed(await cp("-n", local("a"), there("b")), { code: 1, message: /QXGA-4003/ });
    failed(await cp("-n", there("b"), local("a")), { code: 1, message: /\/a is there already/ });
    failed(await cp("-n", there("b"), local("dangling")), { code: 1, message: /dangling is there already/ });
    failed(await cp("-nr", local("d"), there("")), { code: 1, message: /\/d is there already/ });
    assert.equal(readFileSync(guestFile("b"), "utf8"), "old");
    assert.equal(succeeded(await cp("-n", local("a"), there("c"))), "");
  });

  it("writes to a device, and through a link, instead of replacing them", async () => {
    writeFileSync(guestFile("b"), "new");
    writeFileSync(local("real"), "old");
    symlinkSync("real", local("link"));
    assert.equal(succeeded(await cp(there("b"), "/dev/null")), "");
    assert.ok(lstatSync("/dev/null").isCharacterDevice());
    assert.equal(succeeded(await cp(there("b"), local("link"))), "");
    assert.deepEqual([readlinkSync(local("link")), readFileSync(local("real"), "utf8")], ["real", "new"]);
    failed(await cp("--resume", there("b"), "/dev/null"), { code: 1, message: /regular files only/ });
  });

  it("compares checksums, and tells programs of all it did", async () => {
    writeFileSync(local("a"), "abc");
    const { copies, bytes, durationMs } = one(
      succeeded(await cp("--json", "--checksum", local("a"), there("b"))),
    ) as { copies: Record<string, unknown>[]; bytes: number; durationMs: number };
    const sha256 = execFileSync("sha256sum", [local("a")], { encoding: "utf8" }).slice(0, 64);
    assert.deepEqual(copies, [{ from: local("a"), to: guestFile("b"), files: 1, bytes: 3, sha256 }]);
    assert.deepEqual([bytes, typeof durationMs], [3, "number"]);
  });

  it("goes on with --resume where the last try broke off", async () => {
    const bytes = randomBytes(40_000_000);
    writeFileSync(local("large"), bytes);
    const words = ["cp", "--resume", "--json", "--checksum", local("large"), there("large")];
    const child = await vm.start(words);
    const result = finished(child);
    await until("some has arrived", () =>
      readdirSync(guest).some((name) => statSync(guestFile(name)).size > 1_000_000),
    );
    process.kill(vm.daemon.pid, "SIGSTOP"); // the guest stands still
    child.kill("SIGINT");
    try {
      const { code, stderr } = await result;
      assert.equal(code, 130);
      assert.match(stderr, /what has arrived is kept.*the same command line goes on/);
    } finally {
      process.kill(vm.daemon.pid, "SIGCONT");
    }
    assert.ok(!existsSync(guestFile("large")));
    const { copies } = one(succeeded(await vm.run(...words))) as { copies: { resumedAt: number }[] };
    assert.ok((copies[0]?.resumedAt ?? 0) > 0);
    assert.ok(readFileSync(guestFile("large")).equals(bytes));
  });

  it("tells what is wrong on either side, with the path", async () => {
    writeFileSync(local("a"), "a");
    failed(await cp(there("nope"), local("x")), { code: 1, message: /QXGA-4001.*\/nope/ });
    failed(await cp(local("nope"), there("x")), { code: 1, message: /\/nope: no such file/ });
    failed(await cp(local("a"), there("nope/x")), { code: 1, message: /QXGA-400[14].*nope/ });
    failed(await cp(there(""), local("x")), { code: 1, message: /is a folder; with --recursive/ });
    failed(await cp(there("nope"), local("nope/x")), { code: 1, message: /nope/ });
    failed(await cp(local("a"), local("b")), { code: 2, message: /neither side/ });
    failed(await cp(local("a"), "db:/x"), { code: 3, message: /no VM is named db/ });
  });
});

describe("limiquantix-ctl cp -r", () => {
  beforeEach(() => {
    for (const folder of [here, guest]) {
      mkdirSync(path.join(folder, "tree/sub/empty"), { recursive: true });
      writeFileSync(path.join(folder, "tree/a"), "a", { mode: 0o600 });
      writeFileSync(path.join(folder, "tree/sub/größe"), randomBytes(100_000));
      symlinkSync("../a", path.join(folder, "tree/sub/link"));
    }
  });

  const same = (a: string, b: string): void => {
    const list = (folder: string): string =>
      execFileSync(
        "bash",
        [
          "-c",
          `cd "$0" && find . -printf '%P %M %l\\n' | sort; find . -type f -exec cksum {} + | sort`,
          folder,
        ],
        {
          encoding: "utf8",
        },
      );
    assert.equal(list(a), list(b));
  };

  it("copies folders with all that is in them, to a new name or into a folder", async () => {
    assert.equal(succeeded(await cp("-r", local("tree"), there("copy"))), "");
    same(local("tree"), guestFile("copy"));
    assert.equal(succeeded(await cp("-r", there("copy"), here)), "");
    same(local("tree"), local("copy"));
    assert.equal(succeeded(await cp("-r", `${local("tree")}/`, there("copy/"))), "");
    same(local("tree"), guestFile("copy/tree"));
    assert.equal(succeeded(await cp("-r", there("tree/sub/."), local("new"))), "");
    same(guestFile("tree/sub"), local("new"));
  });

  it("says what was left out, and fails then", async () => {
    execFileSync("mkfifo", [local("tree/pipe")]);
    const { code, stderr } = await cp("-r", local("tree"), there("copy"));
    assert.equal(code, 1);
    assert.match(stderr, /^limiquantix-ctl: left out: .*pipe.*\n$/);
    assert.ok(existsSync(guestFile("copy/a")));
  });

  it("needs -r for a folder", async () => {
    failed(await cp(local("tree"), there("copy")), {
      code: 1,
      message: /tree is a folder; with --recursive/,
    });
    failed(await cp(there("tree"), local("copy")), {
      code: 1,
      message: /tree is a folder; with --recursive/,
    });
    assert.ok(!existsSync(guestFile("copy")));
  });
});

describe("the progress of limiquantix-ctl cp", needsTool("tmux", "tmux"), () => {
  const KiB = 1024;

  /** `cp` in a terminal; what comes before and after it shows what it leaves behind. */
  async function open(words: string, env: Record<string, string>, columns = 100): Promise<Terminal> {
    const script = `trap : INT; cd '${here}'; echo before; ${process.execPath} ${await ctlProgram()} cp ${words}; echo "ended with $?"; exec cat`;
    return Terminal.open({ columns, rows: 10, script, env: ctlEnvironment(env) });
  }

  it("is one line with all there is to know, and gone after Ctrl-C", async () => {
    const files = new StalledFiles({ bytes: 256 * KiB, totalBytes: 1024 * KiB });
    await sockets.serve({ guest: files });
    await using terminal = await open(":/disk.img copy.img", { LIMIQUANTIX_SOCKET: sockets.path });
    await terminal.shows(/^\/disk\.img {2}█+[^ ]?░+ +\d+\.\d% {2}\d+ KiB of 1\.0 MiB +\S+ K?i?B\/s/m);
    await terminal.resize(60, 10);
    await terminal.shows(/\/disk\.img +\d+\.\d% {2}\d+ KiB of 1\.0 MiB +\S+ K?i?B\/s( {2}\w+)?\s*$/);
    await terminal.press("C-c");
    const screen = await terminal.shows(/ended with \d+/);
    assert.match(screen, /^(before\n)?ended with 130\s*$/);
    assert.deepEqual(readdirSync(here), []);
    await until("the guest is told", () => files.cancelled.length === 1);
  });

  it("fits into a narrow terminal", async () => {
    await sockets.serve({ guest: new StalledFiles({ bytes: 256 * KiB, totalBytes: 1024 * KiB }) });
    await using terminal = await open(":/disk.img copy.img", { LIMIQUANTIX_SOCKET: sockets.path }, 36);
    await terminal.shows(/^before\n.{0,8} +\d+\.\d% {2}\d+ KiB of 1\.0 MiB$/m);
  });

  it("ends with a line of what was done, on a terminal only", async () => {
    writeFileSync(local("a"), "x".repeat(2000));
    writeFileSync(local("b"), "x".repeat(48));
    {
      await using terminal = await open(`a b web1:${guest}`, vm.options.env);
      const screen = await terminal.shows(/ended with \d+/);
      assert.match(screen, /^before\n2 files, 2\.0 KiB in \d\.\d s \(.*B\/s\)\nended with 0\s*$/);
    }
    await using quiet = await open(`-q a web1:${guest}/c`, vm.options.env);
    assert.match(await quiet.shows(/ended with \d+/), /^before\nended with 0\s*$/);
  });

  it("is given up at --timeout, with what was there left as it was", async () => {
    await sockets.serve({ guest: new StalledFiles({ bytes: 64 * KiB, totalBytes: 1024 * KiB }) });
    writeFileSync(local("copy"), "old");
    const words = ["cp", "--socket", sockets.path, "--timeout", "500ms", ":/disk.img", local("copy")];
    failed(await finished(await startCtl(words)), { code: 4, message: /given up after 0\.5 s/ });
    assert.deepEqual(readdirSync(here), ["copy"]);
    assert.equal(readFileSync(local("copy"), "utf8"), "old");
  });

  it("is given up at SIGTERM while it sends, at once", async () => {
    const files = new StalledFiles({ bytes: 64 * KiB, totalBytes: 0 });
    await sockets.serve({ guest: files });
    writeFileSync(local("a"), Buffer.alloc(1024 * KiB));
    const child = await startCtl(["cp", "--socket", sockets.path, local("a"), ":/new"]);
    const result = finished(child);
    await until("it stands still", () => files.receivedBytes > 0);
    child.kill("SIGTERM");
    assert.deepEqual(await result, { code: 128 + 15, stdout: "", stderr: "" });
    await until("the guest is told", () => files.cancelled.length === 1);
  });
});
