import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import stringWidth from "string-width";
import { copyReport } from "../../src/cli/files/copy-report.ts";
import { facts } from "../../src/cli/files/facts.ts";
import { LongListing, inColumns, nameText } from "../../src/cli/files/listing.ts";
import { modeText, octal, parseMode } from "../../src/cli/files/mode.ts";
import { progressLine } from "../../src/cli/files/progress-line.ts";
import { Rate } from "../../src/cli/files/rate.ts";
import type { FileInfo } from "../../src/host/index.ts";

const info: FileInfo = {
  name: "hosts",
  path: "/etc/hosts",
  kind: "file",
  sizeBytes: 1536,
  mode: 0o644,
  uid: 0,
  gid: 0,
  owner: "root",
  group: "root",
  inode: 4711,
  linkCount: 1,
  allocatedBytes: 4096,
  modifiedAt: new Date(2026, 10, 5, 2, 34, 14),
  accessedAt: new Date(2026, 10, 5, 2, 34, 14),
  changedAt: new Date(2026, 10, 5, 2, 34, 14),
  createdAt: null,
  symlinkTarget: "",
  version: "v1",
};

describe("permission bits", () => {
  it("are written as ls does", () => {
    const cases: [FileInfo["kind"], number, string][] = [
      ["file", 0o644, "-rw-r--r--"],
      ["directory", 0o755, "drwxr-xr-x"],
      ["symlink", 0o777, "lrwxrwxrwx"],
      ["file", 0o4755, "-rwsr-xr-x"],
      ["file", 0o4644, "-rwSr--r--"],
      ["directory", 0o2750, "drwxr-s---"],
      ["directory", 0o2740, "drwxr-S---"],
      ["directory", 0o1777, "drwxrwxrwt"],
      ["directory", 0o1776, "drwxrwxrwT"],
      ["fifo", 0, "p---------"],
      ["socket", 0o600, "srw-------"],
      ["character-device", 0o620, "crw--w----"],
      ["block-device", 0o660, "brw-rw----"],
      ["unknown", 0o600, "?rw-------"],
    ];
    for (const [kind, mode, text] of cases) assert.equal(modeText(kind, mode), text);
    assert.deepEqual([octal(0o644), octal(0o4755), octal(0)], ["0644", "4755", "0000"]);
  });

  it("are read in octal", () => {
    assert.deepEqual(["755", "0755", "1777", "7"].map(parseMode), [0o755, 0o755, 0o1777, 7]);
    for (const text of ["", "0", "0000", "u+x", "888", "17777", "0x1ff", "-1"]) {
      assert.throws(() => parseMode(text), { code: "commander.invalidArgument" }, text);
    }
  });
});

describe("the line of progress", () => {
  const language = process.env["LANG"];
  beforeEach(() => (process.env["LANG"] = "C.UTF-8"));
  afterEach(() => (process.env["LANG"] = language ?? ""));

  const MiB = 1024 ** 2;
  const half = { name: "disk.img", bytes: 512 * MiB, totalBytes: 1024 * MiB, bytesPerSecond: 256 * MiB };

  it("has name, bar, amount, rate and time", () => {
    assert.equal(
      progressLine(half, 90),
      "disk.img  ███████████████░░░░░░░░░░░░░░░   50.0%  512 MiB of 1.0 GiB   256 MiB/s  2 s left",
    );
  });

  it("leaves out what has no room, and is never wider than that", () => {
    for (let columns = 1; columns <= 200; columns++) {
      const line = progressLine({ ...half, name: "計算機-a-name-that-is-rather-long.img" }, columns);
      assert.ok(stringWidth(line) <= Math.max(columns, 6), `${columns}: ${line}`);
    }
    assert.equal(progressLine(half, 60), "disk.img   50.0%  512 MiB of 1.0 GiB   256 MiB/s  2 s left");
    assert.equal(progressLine(half, 28), " 50.0%  512 MiB of 1.0 GiB");
    assert.equal(progressLine(half, 8), " 50.0%");
  });

  it("says what is known when the end is not", () => {
    const line = progressLine({ ...half, totalBytes: undefined }, 80);
    assert.equal(line, "disk.img  512 MiB   256 MiB/s");
    assert.equal(
      progressLine({ ...half, totalBytes: undefined, bytesPerSecond: undefined }, 80),
      "disk.img  512 MiB",
    );
  });

  it("does not promise an end when nothing comes, and stays at 100% when more comes than was announced", () => {
    assert.match(progressLine({ ...half, bytesPerSecond: 0 }, 90), /0 B\/s {2}stalled$/);
    assert.match(
      progressLine({ ...half, bytes: 2048 * MiB }, 90),
      /█ +100\.0% {2}2\.0 GiB of 1\.0 GiB +256 MiB\/s$/,
    );
  });

  it("has a rate over the last seconds only", () => {
    const rate = new Rate();
    assert.equal(rate.perSecond(0), undefined);
    for (let ms = 0; ms <= 1000; ms += 50) rate.add(ms * 1000, ms);
    assert.equal(rate.perSecond(100), undefined);
    assert.equal(rate.perSecond(1000), 1_000_000);
    for (let ms = 1050; ms <= 10_000; ms += 50) rate.add(1_000_000 + (ms - 1000) * 10, ms);
    assert.equal(rate.perSecond(10_000), 10_000);
    assert.equal(Math.round(rate.perSecond(15_000) ?? 0), 5000); // nothing more came
  });
});

describe("what a copy says at its end", () => {
  const text = (...copies: Parameters<typeof copyReport>[0]): string => copyReport(copies, 2100).text;

  it("counts files, bytes and time", () => {
    const copy = { from: "a", to: "/a", files: 1, bytes: 1024 };
    assert.equal(text(copy), "1 file, 1.0 KiB in 2.1 s (488 B/s)");
    assert.equal(text(copy, { ...copy, files: 11 }), "12 files, 2.0 KiB in 2.1 s (975 B/s)");
    assert.equal(text({ from: "a", to: "/a", entries: 3, bytes: 0 }), "3 files and folders, 0 B in 2.1 s");
  });

  it("has the speed of what this time was copied", () => {
    const copy = { from: "a", to: "/a", files: 1, bytes: 2048, resumedAt: 1024 };
    assert.equal(text(copy), "1 file, 2.0 KiB in 2.1 s (488 B/s)");
  });

  it("gives all of it to programs", () => {
    const copies = [
      { from: "a", to: "/a", files: 1, bytes: 5 },
      { from: "b", error: { code: "local-file" } },
    ];
    assert.deepEqual(copyReport(copies, 12.3).forPrograms, { copies, bytes: 5, durationMs: 12 });
  });
});

describe("lists of files", () => {
  const plainStyle = { marks: false, human: false };

  it("are aligned, and columns grow but never shrink", () => {
    const listing = new LongListing(plainStyle);
    const link: FileInfo = {
      ...info,
      name: "l",
      kind: "symlink",
      mode: 0o777,
      symlinkTarget: "/x\u001b",
      owner: "計算",
    };
    assert.deepEqual(listing.lines([info, link]), [
      "-rw-r--r-- 1 root root 1536 2026-11-05 02:34 hosts",
      "lrwxrwxrwx 1 計算 root 1536 2026-11-05 02:34 l -> /x\\x1b",
    ]);
    assert.deepEqual(listing.lines([{ ...info, sizeBytes: 5, owner: "me" }]), [
      "-rw-r--r-- 1 me   root    5 2026-11-05 02:34 hosts",
    ]);
    assert.deepEqual(new LongListing({ ...plainStyle, human: true }).lines([info]), [
      "-rw-r--r-- 1 root root 1.5 KiB 2026-11-05 02:34 hosts",
    ]);
  });

  it("show names without obeying them", () => {
    assert.equal(nameText({ ...info, name: "a\u001b]0;x\u0007\nb" }, plainStyle), "a\\x1b]0;x\\x07\\x0ab");
  });

  it("fill the terminal in columns, downwards", () => {
    const names = ["a", "bb", "ccc", "d", "e"];
    assert.deepEqual(inColumns(names, 80), ["a  bb  ccc  d  e"]);
    assert.deepEqual(inColumns(names, 12), ["a   ccc  e", "bb  d"]);
    assert.deepEqual(inColumns(names, 1), names);
    assert.deepEqual(inColumns(["計算機", "a"], 9), ["計算機  a"]);
    assert.deepEqual(inColumns(["計算機", "a"], 8), ["計算機", "a"]);
  });

  it("tell all facts, and nothing of what an agent did not tell", () => {
    const known = Object.fromEntries(facts(info));
    assert.equal(known["Size"], "1.5 KiB (1536 B)");
    assert.equal(known["Mode"], "0644 -rw-r--r--");
    assert.equal(known["Owner"], "root (0)");
    assert.equal(known["Modified"], "2026-11-05 02:34:14");
    assert.equal(known["Created"], "");
    const old = Object.fromEntries(
      facts({
        ...info,
        inode: 0,
        linkCount: 0,
        accessedAt: new Date(0),
        owner: "1000",
        uid: 1000,
        version: "",
      }),
    );
    assert.deepEqual([old["Links"], old["Inode"], old["Accessed"], old["Owner"]], ["", "", "", "1000"]);
  });
});
