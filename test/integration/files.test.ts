// Files in pieces, as hosts of all generations write and read them, with the real daemon.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { describe, it } from "node:test";
import { Writer } from "protobufjs/minimal.js";
import { AgentMessage } from "../../src/wire/envelope.ts";
import { FileHost } from "../support/file-host.ts";
import { until } from "../support/until.ts";

const mib = 1024 * 1024;
const asRoot = { skip: process.getuid?.() === 0 ? false : "needs root" };

describe("file_write", () => {
  it("writes pieces that file_read gives back, whatever their number, and makes folders", async () => {
    await using host = await FileHost.start();
    for (const bytes of [0, 1, 65_535, 65_536, 65_537, 3 * mib + 17]) {
      const data = randomBytes(bytes);
      const file = host.at("a", String(bytes), "file");
      await host.write(file, data);
      assert.deepEqual(readFileSync(file), data);
      assert.equal(statSync(file).mode & 0o7777, 0o644);
      assert.deepEqual(await host.read(file), data);
      assert.deepEqual(await host.read(file, 7_000), data);
    }
    await host.fails("fileWrite", { path: host.at("b", "file"), eof: true }, "QXGA-4004");
  });

  it("begins anew with the first piece, and leaves what an existing file is", async () => {
    await using host = await FileHost.start();
    const file = host.at("file");
    writeFileSync(file, randomBytes(200_000));
    chmodSync(file, 0o640);
    const { ino } = statSync(file);
    await host.write(file, Buffer.from("short"));
    assert.equal(readFileSync(file, "utf8"), "short");
    assert.equal(statSync(file).mode & 0o7777, 0o640);
    assert.equal(statSync(file).ino, ino);
    await host.write(file, Buffer.from("x"), { mode: 0o4755 });
    assert.equal(statSync(file).mode & 0o7777, 0o4755);
  });

  it("shows a new file to nobody until it is whole, whatever the umask", async () => {
    await using host = await FileHost.start();
    const file = host.at("secret");
    await host.do("fileWrite", { path: file, data: Buffer.alloc(65_536), mode: 0o666 });
    assert.equal(statSync(file).mode & 0o7777, 0o600);
    await host.do("fileWrite", { path: file, offset: 65_536, chunkNumber: 1, eof: true, mode: 0o666 });
    assert.equal(statSync(file).mode & 0o7777, 0o666);
  });

  it("gives a new file that nobody finishes its mode, and closes it", async () => {
    await using host = await FileHost.start();
    const file = host.at("given-up");
    await host.do("fileWrite", { path: file, data: Buffer.from("x") });
    const open = (): boolean =>
      readdirSync(`/proc/${host.daemon.pid}/fd`).some((fd) => {
        try {
          return (
            execFileSync("readlink", [`/proc/${host.daemon.pid}/fd/${fd}`], { encoding: "utf8" }).trim() ===
            file
          );
        } catch {
          return false; // closed meanwhile
        }
      });
    assert.equal(open(), true);
    await until("the file to be closed", () => !open());
    await until("its mode", () => (statSync(file).mode & 0o7777) === 0o644);
    await host.do("fileWrite", { path: file, offset: 1, chunkNumber: 1, data: Buffer.from("y"), eof: true });
    assert.equal(readFileSync(file, "utf8"), "xy");
  });

  it("takes 64 pieces at a time in their order, of several files at once", async () => {
    await using host = await FileHost.start();
    const files = [0, 1, 2].map((i) => ({ file: host.at(`file-${i}`), data: randomBytes(4 * mib) }));
    for (const { file } of files) writeFileSync(file, randomBytes(5 * mib));
    await Promise.all(
      files.map(async ({ file, data }) => {
        const pieces = Array.from({ length: 64 }, async (_, i) =>
          host.do("fileWrite", {
            path: file,
            data: data.subarray(i * 65_536, (i + 1) * 65_536),
            offset: i * 65_536,
            chunkNumber: i,
            eof: i === 63,
          }),
        );
        await Promise.all(pieces);
        assert.deepEqual(readFileSync(file), data);
      }),
    );
  });

  it("appends at the end, wherever that is by now", async () => {
    await using host = await FileHost.start();
    const file = host.at("log");
    await host.do("fileWrite", { path: file, data: Buffer.from("one\n"), append: true, offset: 99 });
    writeFileSync(file, "somebody else's\n", { flag: "a" });
    await host.do("fileWrite", {
      path: file,
      data: Buffer.from("two\n"),
      append: true,
      chunkNumber: 1,
      eof: true,
    });
    assert.equal(readFileSync(file, "utf8"), "one\nsomebody else's\ntwo\n");
    assert.equal(statSync(file).mode & 0o7777, 0o644);
  });

  it("writes and reads beyond 4 GiB", async () => {
    await using host = await FileHost.start();
    const file = host.at("large");
    const offset = 5 * 1024 * mib + 3;
    writeFileSync(file, "start");
    await host.do("fileWrite", {
      path: file,
      data: Buffer.from("far"),
      offset,
      chunkNumber: 81_920,
      eof: true,
    });
    assert.equal(statSync(file).size, offset + 3);
    assert.ok(statSync(file).blocks * 512 < mib);
    const answer = await host.do("fileRead", { path: file, offset });
    assert.equal(String(answer["data"]), "far");
    assert.equal(answer["eof"], true);
    assert.equal(Number(answer["totalSize"]), offset + 3);
    assert.equal(Number(answer["offset"]), offset);
    assert.equal(answer["chunkNumber"], Math.floor(offset / 65_536));
  });

  it("refuses offsets that no file has", async () => {
    await using host = await FileHost.start();
    writeFileSync(host.at("file"), "x");
    for (const offset of ["9007199254740993", "18446744073709551615"]) {
      for (const [tag, name] of [
        [98, "fileWriteResponse"],
        [106, "fileReadResponse"],
      ] as const) {
        const path = host.at("file");
        // offset is field 3 of the one and 2 of the other.
        const body = Writer.create()
          .uint32(10)
          .string(path)
          .uint32(tag === 98 ? 24 : 16)
          .uint64(offset)
          .finish();
        const bytes = Writer.create().uint32(tag).bytes(body).finish();
        const message = AgentMessage.decode(bytes);
        const answer = await host.host.ask({
          fileWrite: message.fileWrite ?? null,
          fileRead: message.fileRead ?? null,
        });
        assert.match(answer[name]?.error ?? "", /^QXGA-4012 /);
      }
    }
    assert.equal(readFileSync(host.at("file"), "utf8"), "x");
  });

  it("leaves holes for blocks of zeros where there is nothing yet", async () => {
    await using host = await FileHost.start();
    const file = host.at("sparse");
    const data = Buffer.alloc(8 * mib);
    data.write("first", 10);
    data.write("last", 4 * mib + 5);
    await host.write(file, data, { sparse: true });
    assert.deepEqual(readFileSync(file), data);
    assert.ok(statSync(file).blocks * 512 <= 64 * 1024, `${statSync(file).blocks} blocks`);
    // Where there is something, zeros replace it.
    await host.do("fileWrite", {
      path: file,
      data: Buffer.alloc(4096),
      offset: 0,
      chunkNumber: 5,
      eof: true,
      sparse: true,
    });
    assert.equal(readFileSync(file).indexOf("first"), -1);
  });

  it("says what is wrong with a disk that is full, read-only, or no place for a file", asRoot, async () => {
    await using host = await FileHost.start();
    const disk = host.at("disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "small", disk]);
    try {
      const data = Buffer.alloc(65_536, 1);
      let full = "";
      for (let i = 0; i < 32 && full === ""; i++) {
        full = (
          await host.ask("fileWrite", {
            path: host.at("disk", "f"),
            data,
            offset: i * 65_536,
            chunkNumber: i,
          })
        ).error;
      }
      assert.match(full, /^QXGA-4010 cannot write .*\(ENOSPC\)$/);
      await host.fails("fileWrite", { path: host.at("disk", "g"), data: Buffer.alloc(mib, 1) }, "QXGA-4010");
      execFileSync("mount", ["-o", "remount,ro", disk]).toString();
      await host.fails("fileWrite", { path: host.at("disk", "h"), data }, "QXGA-4017");
    } finally {
      execFileSync("umount", ["--lazy", disk]);
    }
    execFileSync("mkfifo", [host.at("fifo")]);
    symlinkSync("loop", host.at("loop"));
    symlinkSync("nowhere", host.at("dangling"));
    for (const [name, code] of [
      ["fifo", "QXGA-4006"],
      [".", "QXGA-4006"],
      ["loop", "QXGA-4016"],
      ["dangling", "QXGA-4001"],
      ["n".repeat(256), "QXGA-4018"],
      ["fifo/x", "QXGA-4005"],
    ] as const) {
      await host.fails("fileWrite", { path: `${host.folder}/${name}`, data: Buffer.from("x") }, code);
      if (name !== "dangling" && name !== ".")
        await host.fails("fileRead", { path: `${host.folder}/${name}` }, code);
    }
    await host.fails("fileWrite", { path: "/dev/null", data: Buffer.from("x") }, "QXGA-4006");
    await host.fails("fileWrite", { path: "relative", data: Buffer.from("x") }, "QXGA-4007");
    await host.fails("fileWrite", { path: `${host.folder}/../x`, data: Buffer.from("x") }, "QXGA-4007");
    await host.fails("fileWrite", { path: `${host.folder}/a\0b` }, "QXGA-2001");
  });

  it("follows a file that is replaced between two pieces", async () => {
    await using host = await FileHost.start();
    const file = host.at("file");
    await host.do("fileWrite", { path: file, data: Buffer.from("aaaa") });
    renameSync(file, host.at("moved"));
    writeFileSync(file, "bbbb");
    await host.do("fileWrite", { path: file, data: Buffer.from("XX"), offset: 4, chunkNumber: 1, eof: true });
    assert.equal(readFileSync(file, "utf8"), "bbbbXX");
    assert.equal(readFileSync(host.at("moved"), "utf8"), "aaaa");
  });

  it("keeps to the paths that the configuration allows, whatever links say", async () => {
    await using host = await FileHost.start("security: {allow_file_write_paths: [FOLDER/ok]}\n");
    mkdirSync(host.at("ok"));
    mkdirSync(host.at("okay"));
    mkdirSync(host.at("other"));
    writeFileSync(host.at("other", "file"), "untouched");
    symlinkSync(host.at("other"), host.at("ok", "out"));
    symlinkSync(host.at("other", "file"), host.at("ok", "file"));
    await host.write(host.at("ok", "deep", "er", "fine"), Buffer.from("fine"));
    for (const name of ["okay/x", "other/x", "ok/out/x", "ok/out/new/x", "ok/file", "x"]) {
      await host.fails(
        "fileWrite",
        { path: host.at(name), data: Buffer.from("x"), createParents: true },
        "QXGA-4008",
      );
    }
    assert.deepEqual(readdirSync(host.at("other")), ["file"]);
    assert.equal(readFileSync(host.at("other", "file"), "utf8"), "untouched");
    assert.deepEqual(readdirSync(host.at("okay")), []);
  });

  it("counts what comes in a second, and records who did what", async () => {
    await using host = await FileHost.start(
      "log_level: info\nsecurity: {max_file_ops_per_second: 3, audit_logging: true}\n".replace(
        "log_level: info\n",
        "",
      ),
    );
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        host.ask("fileWrite", {
          path: host.at("f"),
          data: Buffer.from("secret"),
          offset: 6 * i,
          chunkNumber: i,
        }),
      ),
    );
    const refused = answers.filter(({ error }) => error.startsWith("QXGA-8001"));
    assert.equal(refused.length, 7);
    const records = (): number => host.daemon.log.split('"operation":"file_write"').length - 1;
    await until("the audit", () => records() === 1 + refused.length);
    assert.ok(host.daemon.log.includes(host.at("f")) && !host.daemon.log.includes("secret"));
  });
});

describe("file_read", () => {
  it("reads files that do not know their size until their end", async () => {
    await using host = await FileHost.start();
    assert.deepEqual(await host.read("/proc/version"), readFileSync("/proc/version"));
    const answer = await host.do("fileRead", { path: "/proc/version" });
    assert.equal(Number(answer["totalSize"] ?? 0), 0);
    assert.equal(answer["eof"], true);
    const kallsyms = openSync("/proc/kallsyms", "r");
    const start = Buffer.alloc(100_000);
    for (let at = 0; at < start.length;) at += readSync(kallsyms, start, at, start.length - at, null);
    closeSync(kallsyms);
    const first = await host.do("fileRead", { path: "/proc/kallsyms", length: 100_000, chunkSize: 100_000 });
    assert.equal((first["data"] as Buffer).length, 100_000);
    assert.equal(first["eof"] ?? false, false);
  });

  it("gives what is asked for, and nothing beyond the end", async () => {
    await using host = await FileHost.start();
    const file = host.at("file");
    const data = randomBytes(300_000);
    writeFileSync(file, data);
    chmodSync(file, 0o4710);
    const { mtimeMs } = statSync(file);
    const whole = await host.do("fileRead", { path: file, chunkSize: 16 * mib });
    assert.deepEqual(whole["data"], data);
    assert.equal(whole["mode"], 0o4710);
    assert.equal(whole["eof"], true);
    const { seconds, nanos } = whole["modifiedAt"] as { seconds: number; nanos: number };
    assert.equal(Math.floor(seconds * 1000 + nanos / 1e6), Math.floor(mtimeMs));
    const part = await host.do("fileRead", { path: file, offset: 100, length: 50, chunkSize: 40 });
    assert.deepEqual(part["data"], data.subarray(100, 140));
    assert.equal(part["chunkNumber"], 2);
    assert.equal(part["eof"] ?? false, false);
    const plain = await host.do("fileRead", { path: file });
    assert.equal((plain["data"] as Buffer).length, 65_536);
    const beyond = await host.do("fileRead", { path: file, offset: 300_001 });
    assert.equal((beyond["data"] as Buffer | undefined)?.length ?? 0, 0);
    assert.equal(beyond["eof"], true);
    await host.fails("fileRead", { path: host.at("nothing") }, "QXGA-4001");
  });

  it("reads what is at the path now, and follows a file that shrinks or grows", async () => {
    await using host = await FileHost.start();
    const file = host.at("file");
    writeFileSync(file, Buffer.alloc(200_000, "a"));
    await host.do("fileRead", { path: file });
    renameSync(file, host.at("old"));
    writeFileSync(file, Buffer.alloc(200_000, "b"));
    const second = await host.do("fileRead", { path: file, offset: 65_536 });
    assert.equal((second["data"] as Buffer)[0], "b".charCodeAt(0));
    truncateSync(file, 70_000);
    const third = await host.do("fileRead", { path: file, offset: 131_072 });
    assert.equal(third["eof"], true);
    assert.equal(Number(third["totalSize"]), 70_000);
  });

  it("does not read what the configuration denies, by no name", async () => {
    await using host = await FileHost.start("security: {deny_file_read_paths: [FOLDER/secret]}\n");
    mkdirSync(host.at("secret"));
    writeFileSync(host.at("secret", "key"), "key");
    symlinkSync(host.at("secret"), host.at("link"));
    symlinkSync(host.at("secret", "key"), host.at("key"));
    for (const name of ["secret/key", "link/key", "key"]) {
      await host.fails("fileRead", { path: host.at(name) }, "QXGA-4009");
    }
    writeFileSync(host.at("secrets"), "fine");
    assert.equal(String(await host.read(host.at("secrets"))), "fine");
  });

  it("does not wait for what has nothing to read", asRoot, async () => {
    await using host = await FileHost.start();
    const { error } = await host.ask("fileRead", { path: "/proc/kmsg", length: mib, chunkSize: mib });
    if (error !== "") assert.match(error, /^QXGA-/);
    const second = await host.ask("fileRead", { path: "/proc/kmsg", offset: 1 });
    if (second.error !== "") assert.match(second.error, /^QXGA-/);
  });

  it("bounds what many large reads take at a time", async () => {
    await using host = await FileHost.start();
    const file = host.at("file");
    writeFileSync(file, "");
    truncateSync(file, 64 * mib);
    const before = host.daemon.residentKiB();
    host.host.pause();
    for (let i = 0; i < 200; i++) {
      host.host.send({ messageId: `read-${i}`, fileRead: { path: file, chunkSize: 16 * mib } });
    }
    const probe = host.host;
    probe.resume();
    await until(
      "all answers",
      () => probe.received.filter(({ message }) => message.fileReadResponse).length === 200,
      60_000,
    );
    const after = host.daemon.residentKiB();
    assert.ok(after - before < 400 * 1024, `${before} KiB before, ${after} KiB after`);
  });

  it("leaves no descriptors behind", async () => {
    await using host = await FileHost.start();
    writeFileSync(host.at("file"), randomBytes(100_000));
    await host.read(host.at("file"));
    const before = host.daemon.openDescriptors();
    for (let i = 0; i < 100; i++) {
      await host.ask("fileRead", { path: host.at("nothing", String(i)) });
      await host.ask("fileRead", { path: "/dev/null" });
      await host.read(host.at("file"));
      await host.write(host.at(`new-${i}`), Buffer.from("x"));
      await host.do("fileRead", { path: host.at("file"), length: 10 });
    }
    const other = await Promise.resolve(host.daemon.openDescriptors());
    assert.ok(other <= before + 33, `${before} before, ${other} after`);
    await until("idle files to be closed", () => host.daemon.openDescriptors() <= before);
  });
});

describe("two hosts, one after the other", () => {
  it("write to one file without disturbing each other's pieces", async () => {
    await using host = await FileHost.start();
    const file = host.at("file");
    writeFileSync(file, Buffer.alloc(8 * 65_536));
    const pieces = (letter: string, from: number): void => {
      for (let i = from; i < 8; i += 2) {
        host.host.send({
          messageId: `${letter}-${i}`,
          fileWrite: {
            path: file,
            data: Buffer.alloc(65_536, letter),
            offset: i * 65_536,
            chunkNumber: i + 1,
          },
        });
      }
    };
    // A hello ends the first session while its pieces are on their way.
    pieces("a", 0);
    const sessionId = "0123456789abcdef0123";
    host.host.send({ messageId: `${sessionId}/hello`, hello: { sessionId } });
    for (let i = 1; i < 8; i += 2) {
      host.host.send({
        messageId: `${sessionId}/${i}`,
        fileWrite: { path: file, data: Buffer.alloc(65_536, "b"), offset: i * 65_536, chunkNumber: i + 1 },
      });
    }
    await until("the second session's answers", () => host.host.answersTo(`${sessionId}/7`)[0]);
    // The first session's are written whole or given up.
    const written = readFileSync(file);
    for (let i = 0; i < 8; i++) {
      const piece = written.subarray(i * 65_536, (i + 1) * 65_536);
      const letters = i % 2 === 1 ? ["b"] : ["a", "\0"];
      assert.ok(
        letters.some((letter) => piece.equals(Buffer.alloc(65_536, letter))),
        `piece ${i}`,
      );
    }
  });
});
