// What can be done to files and folders besides reading and writing, with the real daemon.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, it } from "node:test";
import { FileKind } from "../../src/wire/envelope.ts";
import { type Answer, FileHost } from "../support/file-host.ts";
import { until } from "../support/until.ts";

const asRoot = { skip: process.getuid?.() === 0 ? false : "needs root" };

interface Entry {
  name: string;
  path: string;
  kind?: number;
  isDirectory?: boolean;
  isSymlink?: boolean;
  symlinkTarget?: string;
  owner: string;
  group: string;
  sizeBytes?: unknown;
  mode: number;
  inode: unknown;
  linkCount: unknown;
  version: string;
}
const entryIn = (answer: Answer): Entry => answer["entry"] as Entry;

/** All pages of a folder. */
async function list(
  host: FileHost,
  path: string,
  maxEntries: number,
  between = async (): Promise<void> => {},
) {
  const entries: Entry[] = [];
  let total = 0;
  for (let continuationToken = ""; ;) {
    const answer = await host.do("listDirectory", {
      path,
      includeHidden: true,
      maxEntries,
      continuationToken,
    });
    entries.push(...((answer["entries"] as Entry[] | undefined) ?? []));
    total = Number(answer["totalEntries"] ?? 0);
    continuationToken = (answer["continuationToken"] as string | undefined) ?? "";
    if (continuationToken === "") return { entries, total };
    await between();
  }
}

describe("file_stat", () => {
  it("tells what is there, of a link or of what it leads to", async () => {
    await using host = await FileHost.start("security: {deny_file_read_paths: [FOLDER/denied]}\n");
    const file = host.at("file");
    writeFileSync(file, "12345");
    chmodSync(file, 0o4710);
    linkSync(file, host.at("second"));
    symlinkSync("file", host.at("link"));
    const entry = entryIn(await host.do("fileStat", { path: file }));
    const stats = statSync(file);
    assert.equal(entry.name, "file");
    assert.equal(entry.path, file);
    assert.equal(entry.kind, FileKind.FILE_KIND_FILE);
    assert.equal(Number(entry.sizeBytes), 5);
    assert.equal(entry.mode, 0o4710);
    assert.equal(Number(entry.inode), stats.ino);
    assert.equal(Number(entry.linkCount), 2);
    assert.equal(entry.owner, execFileSync("id", ["-un"], { encoding: "utf8" }).trim());
    const link = entryIn(await host.do("fileStat", { path: host.at("link") }));
    assert.equal(link.isSymlink, true);
    assert.equal(link.symlinkTarget, "file");
    const followed = entryIn(await host.do("fileStat", { path: host.at("link"), follow: true }));
    assert.equal(followed.kind, FileKind.FILE_KIND_FILE);
    assert.equal(followed.version, entry.version);
    execFileSync("mkfifo", [host.at("fifo")]);
    assert.equal(entryIn(await host.do("fileStat", { path: host.at("fifo") })).kind, FileKind.FILE_KIND_FIFO);
    const nullDevice = entryIn(await host.do("fileStat", { path: "/dev/null" }));
    assert.equal(nullDevice.kind, FileKind.FILE_KIND_CHARACTER_DEVICE);
    assert.equal(entryIn(await host.do("fileStat", { path: "/" })).isDirectory, true);
    mkdirSync(host.at("denied"));
    assert.equal(entryIn(await host.do("fileStat", { path: host.at("denied") })).isDirectory, true);
    await host.fails("fileStat", { path: host.at("nothing") }, "QXGA-4001");
    symlinkSync("loop", host.at("loop"));
    await host.fails("fileStat", { path: host.at("loop"), follow: true }, "QXGA-4016");
  });

  it("gives numbers for who has no name", asRoot, async () => {
    await using host = await FileHost.start();
    writeFileSync(host.at("file"), "");
    chownSync(host.at("file"), 54_321, 54_322);
    const entry = entryIn(await host.do("fileStat", { path: host.at("file") }));
    assert.deepEqual([entry.owner, entry.group], ["54321", "54322"]);
  });
});

describe("list_directory", () => {
  it("lists in the order of bytes, page by page, with or without what begins with a dot", async () => {
    await using host = await FileHost.start();
    const names = [".hidden", "B", "a", "a b", "é", "z", "日本"];
    for (const name of names) writeFileSync(host.at(name), "");
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const most of [1, 2, 3, 7, 8]) {
      const { entries, total } = await list(host, host.folder, most);
      assert.deepEqual(
        entries.map(({ name }) => name),
        sorted,
      );
      assert.equal(total, names.length);
    }
    const visible = await host.do("listDirectory", { path: host.folder });
    assert.deepEqual(
      (visible["entries"] as Entry[]).map(({ name }) => name),
      sorted.filter((name) => name !== ".hidden"),
    );
    assert.equal(visible["totalEntries"], names.length - 1);
    assert.equal(visible["continuationToken"] ?? "", "");
    symlinkSync("somewhere", host.at("link"));
    const { entries } = await list(host, host.folder, 100);
    assert.equal(entries.find(({ name }) => name === "link")?.symlinkTarget, "somewhere");
    await host.fails("listDirectory", { path: host.at("a") }, "QXGA-4005");
    await host.fails("listDirectory", { path: host.at("nothing") }, "QXGA-4001");
    await host.fails("listDirectory", { path: host.folder, continuationToken: "Ly8" }, "QXGA-2001");
    mkdirSync(host.at("empty"));
    assert.deepEqual((await list(host, host.at("empty"), 10)).entries, []);
  });

  it("shows names that are no UTF-8, and goes on behind them", async () => {
    await using host = await FileHost.start();
    for (const byte of [0x80, 0xfe, 0xff])
      writeFileSync(Buffer.concat([Buffer.from(`${host.folder}/x`), Buffer.of(byte)]), "");
    const { entries } = await list(host, host.folder, 1);
    assert.deepEqual(
      entries.map(({ name }) => name),
      ["x\uFFFD", "x\uFFFD", "x\uFFFD"],
    );
  });

  it("does not list what may not be read", async () => {
    await using host = await FileHost.start("security: {deny_file_read_paths: [FOLDER/denied]}\n");
    mkdirSync(host.at("denied", "in"), { recursive: true });
    symlinkSync("denied", host.at("link"));
    for (const name of ["denied", "denied/in", "link"]) {
      await host.fails("listDirectory", { path: host.at(name) }, "QXGA-4009");
    }
  });

  it("pages through 100,000 entries while others are made and removed, in bounded memory", async () => {
    await using host = await FileHost.start();
    const count = 100_000;
    const steady = (i: number): string => `f${String(i).padStart(6, "0")}`;
    execFileSync("sh", ["-c", `cd "$1" && seq -f f%06g 0 ${count - 1} | xargs touch`, "sh", host.folder]);
    await host.do("listDirectory", { path: host.folder, maxEntries: 1 });
    const before = host.daemon.residentKiB();
    let step = 0;
    const started = performance.now();
    const { entries, total } = await list(host, host.folder, 10_000, async () => {
      step++;
      writeFileSync(host.at(`f0000${step}-new`), "");
      writeFileSync(host.at(`f09${step}-new`), "");
      if (step > 1) unlinkSync(host.at(`f0000${step - 1}-new`));
      await Promise.resolve();
    });
    const seconds = (performance.now() - started) / 1000;
    const names = entries.map(({ name }) => name);
    const all = new Set(names);
    assert.equal(all.size, names.length);
    const missing = Array.from({ length: count }, (_, i) => steady(i)).filter((name) => !all.has(name));
    assert.deepEqual(missing, []);
    assert.equal(names.filter((name) => !name.endsWith("-new")).length, count);
    assert.ok(total >= count);
    const grown = host.daemon.residentKiB() - before;
    assert.ok(grown < 96 * 1024, `${grown} KiB more`);
    assert.ok(seconds < 30, `${seconds} s`);
  });
});

describe("create_directory", () => {
  it("makes folders with exactly their mode", async () => {
    await using host = await FileHost.start();
    await host.do("createDirectory", { path: host.at("a") });
    assert.equal(statSync(host.at("a")).mode & 0o7777, 0o755);
    await host.do("createDirectory", { path: host.at("b"), mode: 0o3777 });
    assert.equal(statSync(host.at("b")).mode & 0o7777, 0o3777);
    await host.fails("createDirectory", { path: host.at("c", "d") }, "QXGA-4004");
    await host.do("createDirectory", { path: host.at("c", "d", "e"), createParents: true, mode: 0o700 });
    assert.equal(statSync(host.at("c", "d", "e")).mode & 0o7777, 0o700);
    await host.fails("createDirectory", { path: host.at("a"), mode: 0o700 }, "QXGA-4003");
    await host.do("createDirectory", { path: host.at("a"), mode: 0o700, createParents: true });
    assert.equal(statSync(host.at("a")).mode & 0o7777, 0o755);
    writeFileSync(host.at("file"), "");
    await host.fails("createDirectory", { path: host.at("file"), createParents: true }, "QXGA-4003");
    await host.fails("createDirectory", { path: host.at("file", "x"), createParents: true }, "QXGA-4005");
    await host.do("createDirectory", { path: "/", createParents: true });
  });
});

describe("file_delete", () => {
  it("deletes files, links and folders, and what is in them only when asked", async () => {
    await using host = await FileHost.start();
    writeFileSync(host.at("kept"), "kept");
    symlinkSync("kept", host.at("link"));
    await host.do("fileDelete", { path: host.at("link") });
    assert.equal(readFileSync(host.at("kept"), "utf8"), "kept");
    mkdirSync(host.at("folder", "inner"), { recursive: true });
    const error = await host.fails("fileDelete", { path: host.at("folder") }, "QXGA-4013");
    assert.match(error, /not empty/);
    await host.do("fileDelete", { path: host.at("folder", "inner") });
    symlinkSync(host.folder, host.at("folder", "up"));
    mkdirSync(host.at("outside"));
    writeFileSync(host.at("outside", "file"), "");
    symlinkSync(host.at("outside"), host.at("folder", "out"));
    for (let i = 0; i < 3000; i++) writeFileSync(host.at("folder", `f${i}`), "");
    for (let i = 0; i < 1500; i++) mkdirSync(host.at("folder", `d${i}`, "in"), { recursive: true });
    await host.do("fileDelete", { path: host.at("folder"), recursive: true });
    assert.equal(existsSync(host.at("folder")), false);
    assert.deepEqual(readdirSync(host.at("outside")), ["file"]);
    symlinkSync("outside", host.at("link"));
    await host.do("fileDelete", { path: host.at("link"), recursive: true });
    assert.deepEqual(readdirSync(host.at("outside")), ["file"]);
    await host.fails("fileDelete", { path: host.at("nothing") }, "QXGA-4001");
    await host.fails("fileDelete", { path: host.at("nothing"), recursive: true }, "QXGA-4001");
    await host.fails("fileDelete", { path: "/", recursive: true }, "QXGA-4013");
  });

  it("deletes ten thousand folders in each other with few descriptors", async () => {
    await using host = await FileHost.start();
    // Deeper than a path can say.
    execFileSync("python3", [
      "-c",
      `import os\nos.chdir(${JSON.stringify(host.folder)})\nos.mkdir("deep"); os.chdir("deep")\nfor i in range(10000):\n  os.mkdir("d"); open("f", "w").close(); os.chdir("d")`,
    ]);
    const before = host.daemon.openDescriptors();
    const done = host.do("fileDelete", { path: host.at("deep"), recursive: true });
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, host.daemon.openDescriptors())), 5);
    await done;
    clearInterval(watching);
    assert.equal(existsSync(host.at("deep")), false);
    assert.ok(most < before + 80, `${most} descriptors, ${before} before`);
    await until("descriptors to be closed", () => host.daemon.openDescriptors() <= before);
  });

  it("leaves alone what is mounted inside, and names it", asRoot, async () => {
    await using host = await FileHost.start();
    mkdirSync(host.at("tree", "a", "mount"), { recursive: true });
    mkdirSync(host.at("tree", "b", "bind"), { recursive: true });
    mkdirSync(host.at("source"));
    writeFileSync(host.at("source", "file"), "");
    const mounts = [host.at("tree", "a", "mount"), host.at("tree", "b", "bind")] as const;
    execFileSync("mount", ["-t", "tmpfs", "inside", mounts[0]]);
    execFileSync("mount", ["--bind", host.at("source"), mounts[1]]);
    writeFileSync(`${mounts[0]}/file`, "");
    try {
      for (const [i, path] of [host.at("tree", "a"), host.at("tree", "b"), ...mounts].entries()) {
        const error = await host.fails("fileDelete", { path, recursive: true }, "QXGA-4013");
        assert.ok(error.includes(mounts[i % 2] ?? ""), error);
        assert.deepEqual(
          mounts.map((at) => readdirSync(at)),
          [["file"], ["file"]],
        );
      }
    } finally {
      for (const mount of mounts) execFileSync("umount", ["--lazy", mount]);
    }
    await host.do("fileDelete", { path: host.at("tree"), recursive: true });
    assert.deepEqual(readdirSync(host.at("source")), ["file"]);
  });

  it("stops when it is cancelled", async () => {
    await using host = await FileHost.start();
    mkdirSync(host.at("many"));
    execFileSync("sh", ["-c", `cd "$1" && seq -f d%06g 0 19999 | xargs mkdir`, "sh", host.at("many")]);
    const answer = host.ask(
      "fileDelete",
      { path: host.at("many"), recursive: true },
      { messageId: "delete" },
    );
    await until("it to begin", () => readdirSync(host.at("many")).length < 20_000);
    await host.do("cancel", { messageId: "delete" });
    assert.match((await answer).error, /^QXGA-2009 /);
    await until("it to stop", async () => {
      const before = readdirSync(host.at("many")).length;
      await host.ask("ping", {});
      await new Promise((resolve) => setTimeout(resolve, 20));
      return readdirSync(host.at("many")).length === before;
    });
    assert.ok(readdirSync(host.at("many")).length > 0);
  });
});

describe("file_rename", () => {
  it("renames files, folders and links, and replaces or not", async () => {
    await using host = await FileHost.start();
    writeFileSync(host.at("a"), "a");
    await host.do("fileRename", { from: host.at("a"), to: host.at("b") });
    assert.equal(readFileSync(host.at("b"), "utf8"), "b".replace("b", "a"));
    writeFileSync(host.at("c"), "c");
    await host.fails("fileRename", { from: host.at("b"), to: host.at("c"), noReplace: true }, "QXGA-4003");
    assert.equal(readFileSync(host.at("c"), "utf8"), "c");
    await host.do("fileRename", { from: host.at("b"), to: host.at("c") });
    assert.equal(readFileSync(host.at("c"), "utf8"), "a");
    await host.do("fileRename", { from: host.at("c"), to: host.at("d"), noReplace: true });
    symlinkSync("d", host.at("link"));
    await host.do("fileRename", { from: host.at("link"), to: host.at("moved") });
    assert.equal(readlinkSync(host.at("moved")), "d");
    mkdirSync(host.at("folder", "inner"), { recursive: true });
    await host.fails(
      "fileRename",
      { from: host.at("folder"), to: host.at("folder", "inner", "x") },
      "QXGA-4015",
    );
    await host.fails("fileRename", { from: host.at("d"), to: host.at("folder") }, "QXGA-4006");
    await host.fails("fileRename", { from: host.at("folder"), to: host.at("d") }, "QXGA-4005");
    await host.fails("fileRename", { from: host.at("nothing"), to: host.at("x") }, "QXGA-4001");
    await host.fails("fileRename", { from: host.at("d"), to: host.at("no", "x") }, "QXGA-4004");
    await host.fails("fileRename", { from: host.at("d"), to: "/proc/x" }, "QXGA-40");
    await host.do("fileRename", { from: host.at("folder"), to: host.at("other"), noReplace: true });
    assert.equal(existsSync(host.at("other", "inner")), true);
  });

  it("does not make readable what may not be read, nor write where it may not", async () => {
    await using host = await FileHost.start(
      "security: {deny_file_read_paths: [FOLDER/w/secret/key], allow_file_write_paths: [FOLDER/w]}\n",
    );
    mkdirSync(host.at("w", "secret"), { recursive: true });
    writeFileSync(host.at("w", "secret", "key"), "key");
    writeFileSync(host.at("w", "file"), "");
    linkSync(host.at("w", "secret", "key"), host.at("w", "hard"));
    for (const name of ["secret", "secret/key", "hard"]) {
      await host.fails("fileRename", { from: host.at("w", name), to: host.at("w", "x") }, "QXGA-4009");
    }
    await host.fails("fileCopy", { from: host.at("w", "hard"), to: host.at("w", "x") }, "QXGA-4009");
    await host.fails("fileRename", { from: host.at("w", "file"), to: host.at("x") }, "QXGA-4008");
    writeFileSync(host.at("outside"), "");
    await host.fails("fileRename", { from: host.at("outside"), to: host.at("w", "x") }, "QXGA-4008");
    await host.fails("fileDelete", { path: host.at("outside") }, "QXGA-4008");
    await host.fails("createDirectory", { path: host.at("x", "y"), createParents: true }, "QXGA-4008");
    await host.fails("createSymlink", { path: host.at("x"), target: "y" }, "QXGA-4008");
    await host.fails("fileCopy", { from: host.at("w", "file"), to: host.at("x") }, "QXGA-4008");
    await host.fails("fileSetAttributes", { path: host.at("outside"), mode: 0o777 }, "QXGA-4008");
    symlinkSync(host.at("outside"), host.at("w", "link"));
    await host.fails("fileSetAttributes", { path: host.at("w", "link"), mode: 0o777 }, "QXGA-4008");
    await host.fails("fileCopy", { from: host.at("w", "file"), to: host.at("w", "link") }, "QXGA-4008");
    assert.deepEqual(readdirSync(host.folder).sort(), ["outside", "w"]);
  });
});

describe("file_set_attributes", () => {
  it("sets mode, owner and time, and leaves what is left out", asRoot, async () => {
    await using host = await FileHost.start();
    const file = host.at("file");
    writeFileSync(file, "");
    utimesSync(file, 1000, 2000);
    await host.do("fileSetAttributes", { path: file, mode: 0o4751, owner: "daemon", group: "54321" });
    const stats = statSync(file);
    assert.equal(stats.mode & 0o7777, 0o4751);
    assert.deepEqual([stats.gid, stats.mtimeMs, stats.atimeMs], [54_321, 2_000_000, 1_000_000]);
    assert.equal(stats.uid, Number(execFileSync("id", ["-u", "daemon"], { encoding: "utf8" })));
    await host.do("fileSetAttributes", {
      path: file,
      modifiedAt: { seconds: 1_700_000_000, nanos: 500_000_000 },
    });
    assert.equal(statSync(file).mtimeMs, 1_700_000_000_500);
    assert.equal(statSync(file).mode & 0o7777, 0o4751);
    symlinkSync("file", host.at("link"));
    await host.do("fileSetAttributes", {
      path: host.at("link"),
      owner: "0",
      noFollow: true,
      modifiedAt: { seconds: 5 },
    });
    assert.equal(lstatSync(host.at("link")).mtimeMs, 5_000);
    assert.equal(lstatSync(host.at("link")).uid, 0);
    assert.notEqual(statSync(file).uid, 0);
    await host.fails(
      "fileSetAttributes",
      { path: host.at("link"), mode: 0o600, noFollow: true },
      "QXGA-2001",
    );
    await host.do("fileSetAttributes", { path: host.at("link"), mode: 0o600 });
    assert.equal(statSync(file).mode & 0o7777, 0o600);
    await host.fails("fileSetAttributes", { path: file, owner: "no-such-user" }, "QXGA-3005");
    await host.fails("fileSetAttributes", { path: file, group: "no-such-group" }, "QXGA-3006");
    await host.fails("fileSetAttributes", { path: host.at("nothing"), mode: 1 }, "QXGA-4001");
    execFileSync("mkfifo", [host.at("fifo")]);
    await host.do("fileSetAttributes", { path: host.at("fifo"), mode: 0o640 });
    assert.equal(statSync(host.at("fifo")).mode & 0o7777, 0o640);
  });
});

describe("create_symlink", () => {
  it("makes links that say what they are told, and replaces files and links", async () => {
    await using host = await FileHost.start();
    for (const target of ["nowhere", "../..//x/.", "/etc", "é".repeat(100)]) {
      await host.do("createSymlink", { path: host.at("link"), target, replace: true });
      assert.equal(readlinkSync(host.at("link")), target);
    }
    await host.fails("createSymlink", { path: host.at("link"), target: "x" }, "QXGA-4003");
    writeFileSync(host.at("file"), "");
    await host.do("createSymlink", { path: host.at("file"), target: "x", replace: true });
    mkdirSync(host.at("folder"));
    await host.fails("createSymlink", { path: host.at("folder"), target: "x", replace: true }, "QXGA-4003");
    await host.fails("createSymlink", { path: host.at("empty"), target: "" }, "QXGA-2001");
    await host.fails("createSymlink", { path: host.at("long"), target: "x".repeat(4096) }, "QXGA-2001");
    await host.fails("createSymlink", { path: host.at("no", "x"), target: "x" }, "QXGA-4004");
    assert.deepEqual(readdirSync(host.folder).sort(), ["file", "folder", "link"]);
  });
});

describe("file_copy", () => {
  it("copies contents, holes, mode, owner and time", asRoot, async () => {
    await using host = await FileHost.start();
    const from = host.at("from");
    const data = randomBytes(3 * 1024 * 1024 + 5);
    writeFileSync(from, data);
    truncateSync(from, 300 * 1024 * 1024);
    chownSync(from, 1, 2);
    chmodSync(from, 0o6754);
    utimesSync(from, 1000, 2000);
    const answer = await host.do("fileCopy", { from, to: host.at("deep", "er", "to"), createParents: true });
    assert.equal(Number(answer["bytes"]), 300 * 1024 * 1024);
    const copy = statSync(host.at("deep", "er", "to"));
    assert.deepEqual(
      [copy.size, copy.uid, copy.gid, copy.mode & 0o7777, copy.mtimeMs],
      [300 * 1024 * 1024, 1, 2, 0o6754, 2_000_000],
    );
    assert.ok(copy.blocks * 512 < 4 * 1024 * 1024);
    assert.deepEqual(readFileSync(host.at("deep", "er", "to")).subarray(0, data.length), data);
  });

  it("replaces or not, follows links, and leaves nothing behind when it fails", asRoot, async () => {
    await using host = await FileHost.start();
    writeFileSync(host.at("a"), "a");
    writeFileSync(host.at("b"), "b");
    await host.fails("fileCopy", { from: host.at("a"), to: host.at("b"), noReplace: true }, "QXGA-4003");
    await host.do("fileCopy", { from: host.at("a"), to: host.at("b") });
    assert.equal(readFileSync(host.at("b"), "utf8"), "a");
    await host.fails("fileCopy", { from: host.at("a"), to: host.at("a") }, "QXGA-4003");
    symlinkSync("b", host.at("link"));
    writeFileSync(host.at("a"), "new");
    await host.do("fileCopy", { from: host.at("a"), to: host.at("link") });
    assert.equal(readlinkSync(host.at("link")), "b");
    assert.equal(readFileSync(host.at("b"), "utf8"), "new");
    await host.fails("fileCopy", { from: host.folder, to: host.at("x") }, "QXGA-4006");
    await host.fails("fileCopy", { from: host.at("a"), to: host.folder }, "QXGA-4006");
    await host.fails("fileCopy", { from: host.at("nothing"), to: host.at("x") }, "QXGA-4001");
    await host.fails("fileCopy", { from: host.at("a"), to: host.at("no", "x") }, "QXGA-4004");
    await host.do("fileCopy", { from: "/proc/version", to: host.at("version"), noReplace: true });
    assert.equal(readFileSync(host.at("version"), "utf8"), readFileSync("/proc/version", "utf8"));
    const disk = host.at("disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "small", disk]);
    try {
      writeFileSync(host.at("large"), randomBytes(2 * 1024 * 1024));
      writeFileSync(host.at("disk", "x"), "before");
      await host.fails("fileCopy", { from: host.at("large"), to: host.at("disk", "x") }, "QXGA-4010");
      assert.deepEqual(readdirSync(disk), ["x"]);
      assert.equal(readFileSync(host.at("disk", "x"), "utf8"), "before");
    } finally {
      execFileSync("umount", ["--lazy", disk]);
    }
  });

  it("stops when it is cancelled, and nothing is left of it", async () => {
    await using host = await FileHost.start();
    const from = host.at("from");
    execFileSync("dd", ["if=/dev/zero", `of=${from}`, "bs=1M", "count=1500", "status=none"]);
    const answer = host.ask("fileCopy", { from, to: host.at("to") }, { messageId: "copy" });
    await until("it to begin", () =>
      readdirSync(host.folder).some((name) => name.startsWith(".limiquantix-")),
    );
    await host.do("cancel", { messageId: "copy" });
    assert.match((await answer).error, /^QXGA-2009 /);
    await until("the rest to be removed", () => readdirSync(host.folder).length === 1);
  });
});
