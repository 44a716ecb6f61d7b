import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { Daemon } from "../support/daemon.ts";
import { RawHost } from "../support/raw-host.ts";
import { TransferHost, journalOf, unfinishedIn } from "../support/transfer-host.ts";
import { until } from "../support/until.ts";

const isRoot = process.getuid?.() === 0;
const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
const uploadId = (): string => randomBytes(12).toString("base64url");

let daemon: Daemon;
let host: TransferHost;
let folder: string;
before(async () => {
  daemon = new Daemon().start();
  host = new TransferHost(await RawHost.connect(daemon.socket));
});
after(async () => {
  host.host.close();
  await daemon[Symbol.asyncDispose]();
});
beforeEach(() => {
  folder = mkdtempSync(path.join(daemon.folder, "files-"));
  host.host.received.length = 0;
});

const at = (name: string): string => path.join(folder, name);
const litter = (): string[] => unfinishedIn(folder);
const journal = (): string[] => journalOf(daemon);

describe("file_get", () => {
  it("sends a file within the credit, and tells its length and SHA-256", async () => {
    const bytes = randomBytes(1_000_003);
    writeFileSync(at("file"), bytes);
    const { id, entry } = await host.get({ path: at("file"), windowBytes: 100_000, checksum: true });
    assert.equal(Number(entry?.sizeBytes), bytes.length);
    await until("the first bytes", () => host.received(id).length === 100_000);
    await host.host.ask({ ping: { sequence: 1 } });
    assert.equal(host.received(id).length, 100_000);
    for (let credit = 1; host.received(id).length < bytes.length; credit = credit * 3 + 1) {
      const before = host.received(id).length;
      host.credit(id, credit);
      await until("more", () => host.received(id).length === Math.min(bytes.length, before + credit));
    }
    assert.deepEqual(await host.ended(id), { error: "", bytes: bytes.length, sha256: sha256(bytes) });
    assert.ok(bytes.equals(host.received(id)));
  });

  it("sends a part, and the SHA-256 of all from the start", async () => {
    const bytes = randomBytes(700_000);
    writeFileSync(at("file"), bytes);
    const part = await host.get({ path: at("file"), offset: 300_000, length: 200_000, checksum: true });
    const end = await host.ended(part.id);
    assert.deepEqual(end.sha256, sha256(bytes.subarray(0, 500_000)));
    assert.ok(bytes.subarray(300_000, 500_000).equals(host.received(part.id)));
    const beyond = await host.get({ path: at("file"), offset: 700_001 });
    assert.deepEqual(await host.ended(beyond.id), { error: "", bytes: 0, sha256: Buffer.alloc(0) });
  });

  it("sends files of /proc, sparse files and what lies over 4 GiB", async () => {
    const version = await host.get({ path: "/proc/version" });
    await host.ended(version.id);
    assert.equal(host.received(version.id).toString(), readFileSync("/proc/version", "utf8"));
    writeFileSync(at("sparse"), "");
    truncateSync(at("sparse"), 5 * 1024 ** 3);
    const tail = await host.get({ path: at("sparse"), offset: 5 * 1024 ** 3 - 10 });
    await host.ended(tail.id);
    assert.deepEqual(host.received(tail.id), Buffer.alloc(10));
  });

  it("refuses what is no file, and does not wait for the other end of a FIFO", async () => {
    execFileSync("mkfifo", [at("fifo")]);
    const errors: [string, RegExp][] = [
      [at("fifo"), /^QXGA-4006 .*is a FIFO/],
      [folder, /^QXGA-4006 .*is a folder/],
      ["/dev/zero", /^QXGA-4006 .*is a device/],
      [at("absent"), /^QXGA-4001 .*ENOENT/],
      ["relative", /^QXGA-4007 /],
      [`${folder}/../x`, /^QXGA-4007 /],
      ["/x\0y", /^QXGA-2001 /],
      [`/${"x".repeat(256)}`, /^QXGA-4018 /],
    ];
    for (const [file, error] of errors) assert.match((await host.get({ path: file })).error, error);
    symlinkSync("loop", at("loop"));
    assert.match((await host.get({ path: at("loop") })).error, /^QXGA-4016 /);
  });

  it("tells that the file is another than the host wants, at the start and at the end", async () => {
    const bytes = randomBytes(3_000_000);
    writeFileSync(at("file"), bytes);
    const { id, entry } = await host.get({ path: at("file"), windowBytes: 0 });
    const version = entry?.version ?? "";
    assert.match((await host.get({ path: at("file"), version: "other" })).error, /^QXGA-4020 /);
    const same = await host.get({ path: at("file"), version, windowBytes: 1 });
    writeFileSync(at("file"), "x");
    host.credit(same.id, 10_000_000);
    assert.match((await host.ended(same.id)).error, /^QXGA-4020 /);
    host.credit(id, 10_000_000); // nobody asked for a version here
    assert.equal((await host.ended(id)).error, "");
  });

  it("ends when it is cancelled, and when its host goes; no descriptor stays", async () => {
    writeFileSync(at("file"), randomBytes(3_000_000));
    const descriptors = daemon.openDescriptors();
    const { id } = await host.get({ path: at("file"), windowBytes: 1 }, "cancelled");
    assert.equal((await host.host.ask({ cancel: { messageId: "cancelled" } })).cancelResponse?.success, true);
    assert.match((await host.ended(id)).error, /^QXGA-2009 /);
    await host.get({ path: at("file"), windowBytes: 1 });
    host.host.close();
    host = new TransferHost(await RawHost.connect(daemon.socket));
    await host.host.ask({ ping: { sequence: 1 } });
    await until("the descriptors to be closed", () => daemon.openDescriptors() <= descriptors);
  });

  it("takes 32 at a time, and says so to more", async () => {
    writeFileSync(at("file"), randomBytes(100_000));
    const all = await Promise.all(
      Array.from({ length: 40 }, () => host.get({ path: at("file"), windowBytes: 0 })),
    );
    assert.equal(all.filter(({ error }) => error === "").length, 32);
    assert.match(all.find(({ error }) => error !== "")?.error ?? "", /^QXGA-8001 /);
    for (const { id, error } of all) if (error === "") host.credit(id, 100_000);
    for (const { id, error } of all) if (error === "") await host.ended(id);
    assert.equal((await host.get({ path: at("file") })).error, "");
  });
});

describe("file_put", () => {
  it("puts a file in its place when it is whole, with mode, time and parents", async () => {
    const bytes = randomBytes(5_000_001);
    const modifiedAt = { seconds: 1_000_000_000, nanos: 0 };
    const stream = await host.put({
      path: at("a/b/file"),
      createParents: true,
      mode: 0o4751,
      modifiedAt,
    });
    await host.send(stream, bytes);
    assert.equal(existsSync(at("a/b/file")), false);
    const { error, entry } = await host.commit(stream.id, bytes.length, sha256(bytes));
    assert.equal(error, "");
    assert.ok(bytes.equals(readFileSync(at("a/b/file"))));
    const { mode, mtimeMs } = statSync(at("a/b/file"));
    assert.equal(mode & 0o7777, 0o4751);
    assert.equal(mtimeMs, 1e12);
    assert.equal(Number(entry?.sizeBytes), bytes.length);
    assert.deepEqual([litter(), journal()], [[], []]);
  });

  it("replaces what a link leads to, and keeps its mode and owner", async () => {
    writeFileSync(at("real"), "old");
    chmodSync(at("real"), 0o640);
    if (isRoot) chownSync(at("real"), 12, 34);
    symlinkSync("real", at("link"));
    await host.upload(at("link"), Buffer.from("new"));
    assert.equal(readFileSync(at("real"), "utf8"), "new");
    assert.deepEqual(readdirSync(folder), ["link", "real"]);
    const { mode, uid, gid } = statSync(at("real"));
    assert.equal(mode & 0o7777, 0o640);
    if (isRoot) assert.deepEqual([uid, gid], [12, 34]);
    await host.upload(at("new"), Buffer.from("new"));
    assert.equal(statSync(at("new")).mode & 0o7777, 0o644);
  });

  it("gives it to an owner and group, by name or number", { skip: !isRoot }, async () => {
    await host.upload(at("file"), Buffer.from("x"), { owner: "nobody", group: "4321", mode: 0o4755 });
    const { uid, gid, mode } = statSync(at("file"));
    assert.deepEqual([uid, gid, mode & 0o7777], [65534, 4321, 0o4755]);
    assert.match(await host.refusal({ path: at("file"), owner: "no-such-user" }), /^QXGA-3005 /);
  });

  it("leaves all as it was without a commit, and after one that does not fit", async () => {
    const bytes = randomBytes(300_000);
    writeFileSync(at("file"), "old");
    for (const [total, sum, error] of [
      [bytes.length + 1, undefined, /^QXGA-4021 .*300000 bytes have come, not 300001/],
      [bytes.length, sha256(Buffer.from("other")), /^QXGA-4021 .*SHA-256/],
      [bytes.length, Buffer.alloc(3), /^QXGA-2001 /],
    ] as const) {
      const stream = await host.put({ path: at("file") }, `of ${total} ${sum?.length}`);
      await host.send(stream, bytes);
      assert.match((await host.commit(stream.id, total, sum)).error, error);
      if (sum?.length === 3) await host.host.ask({ cancel: { messageId: `of ${total} 3` } });
      await until("nothing to be left", () => litter().length === 0 && journal().length === 0);
    }
    assert.equal(readFileSync(at("file"), "utf8"), "old");
  });

  it("does not replace what the host does not know", async () => {
    writeFileSync(at("file"), "old");
    assert.match(await host.refusal({ path: at("file"), exclusive: true }), /^QXGA-4003 /);
    assert.match(await host.refusal({ path: at("file"), version: "other" }), /^QXGA-4020 /);
    const { entry } = await host.get({ path: at("file") });
    const version = entry?.version ?? "";
    const changed = await host.put({ path: at("file"), version });
    const exclusive = await host.put({ path: at("new"), exclusive: true });
    writeFileSync(at("file"), "changed");
    writeFileSync(at("new"), "somebody's");
    assert.match((await host.commit(changed.id, 0)).error, /^QXGA-4020 /);
    assert.match((await host.commit(exclusive.id, 0)).error, /^QXGA-4003 /);
    assert.equal(readFileSync(at("file"), "utf8"), "changed");
    assert.deepEqual([readFileSync(at("new"), "utf8"), litter()], ["somebody's", []]);
    rmSync(at("new"));
    await host.upload(at("new"), Buffer.from("ours"), { exclusive: true });
    assert.deepEqual([readFileSync(at("new"), "utf8"), litter()], ["ours", []]);
  });

  it("leaves holes for blocks of zeros when the host asks", async () => {
    const bytes = Buffer.concat([
      randomBytes(10_000),
      Buffer.alloc(8 * 1024 * 1024),
      randomBytes(3),
      Buffer.alloc(5_000_000),
    ]);
    await host.upload(at("sparse"), bytes, { sparse: true });
    await host.upload(at("dense"), bytes);
    assert.ok(bytes.equals(readFileSync(at("sparse"))));
    assert.ok(statSync(at("sparse")).blocks * 512 < 200_000);
    assert.ok(statSync(at("dense")).blocks * 512 >= bytes.length);
  });

  it("goes on with what has arrived when its host or its agent went away", async () => {
    const bytes = randomBytes(4_000_000);
    const id = uploadId();
    writeFileSync(at("file"), "old");
    await using other = new Daemon();
    other.start();
    let received = 0;
    for (const kill of [false, true, false]) {
      const from = new TransferHost(await RawHost.connect(other.socket));
      const stream = await from.put({ path: at("file"), uploadId: id, resume: true });
      assert.ok(stream.receivedBytes >= received, `${stream.receivedBytes} of ${received}`);
      received = Math.min(bytes.length, stream.receivedBytes + 1_000_000);
      await from.send(stream, bytes.subarray(stream.receivedBytes, received));
      const [temp = ""] = litter();
      await until("all to be written", () => statSync(at(temp)).size === received);
      if (kill) {
        await other.stop("SIGKILL");
        other.start();
      }
      from.host.close();
    }
    assert.equal(readFileSync(at("file"), "utf8"), "old");
    const last = new TransferHost(await RawHost.connect(other.socket));
    await last.upload(at("file"), bytes, { uploadId: id, resume: true });
    assert.ok(bytes.equals(readFileSync(at("file"))));
    assert.deepEqual(litter(), []);
    last.host.close();
  });

  it("begins anew when the host does not resume, or it is for another file", async () => {
    const id = uploadId();
    const first = await host.put({ path: at("file"), uploadId: id });
    await host.send(first, Buffer.from("first"));
    await until("it to be written", () => litter().some((name) => statSync(at(name)).size === 5));
    const [old = ""] = litter();
    const other = await host.put({ path: at("other"), uploadId: id, resume: true });
    assert.equal(other.receivedBytes, 0);
    assert.equal(existsSync(at(old)), false);
    assert.match((await host.commit(first.id, 5)).error, /^QXGA-2009 /);
    const anew = await host.put({ path: at("other"), uploadId: id });
    assert.equal(anew.receivedBytes, 0);
    assert.equal(litter().length, 1);
    await host.commit(anew.id, 0);
    assert.match(await host.refusal({ path: at("x"), uploadId: "short" }), /^QXGA-2001 /);
    assert.match(await host.refusal({ path: at("x"), resume: true }), /^QXGA-2001 /);
  });

  it("is one upload for requests of one id that come at once", async () => {
    const id = uploadId();
    const request = { path: at("file"), uploadId: id, resume: true };
    const streams = await Promise.all(Array.from({ length: 20 }, () => host.put(request)));
    assert.equal(litter().length, 1);
    assert.equal(journal().length, 1);
    const last = streams.at(-1);
    assert.ok(last);
    host.data(last.id, Buffer.from("x"));
    assert.equal((await host.commit(last.id, 1)).error, "");
    assert.deepEqual([litter(), journal()], [[], []]);
  });

  it("leaves nothing when its host goes and nobody can go on with it", async () => {
    const stream = await host.put({ path: at("file") });
    await host.send(stream, randomBytes(100_000));
    host.host.close();
    host = new TransferHost(await RawHost.connect(daemon.socket));
    await until("nothing to be left", () => litter().length === 0 && journal().length === 0);
  });

  it("leaves nothing of an agent that was killed when the next one starts", async () => {
    await using other = new Daemon();
    other.start();
    const from = new TransferHost(await RawHost.connect(other.socket));
    await from.send(await from.put({ path: at("file") }), randomBytes(100_000));
    assert.equal(litter().length, 1);
    await other.stop("SIGKILL");
    from.host.close();
    assert.equal(litter().length, 1);
    other.start();
    await until("nothing to be left", () => litter().length === 0);
  });

  it("ends an upload whose host sends more than it may", async () => {
    const stream = await host.put({ path: at("file") });
    for (let sent = 0; sent <= stream.creditBytes; sent += 65_000) host.data(stream.id, Buffer.alloc(65_000));
    // What was written meanwhile is credit again, so it may take a few more.
    for (let i = 0; i < 2_000 && host.messages(stream.id).length === 0; i++) {
      host.data(stream.id, Buffer.alloc(65_000));
      if (i % 50 === 0) await host.host.ask({ ping: { sequence: i } });
    }
    assert.match((await host.ended(stream.id)).error, /^QXGA-2001 .*credit/);
    assert.match((await host.commit(stream.id, 1)).error, /^QXGA-2001 .*credit/);
    assert.deepEqual([litter(), journal()], [[], []]);
    assert.match((await host.commit("no such stream", 1)).error, /^QXGA-4019 /);
  });

  it("takes pieces of any size, and two uploads of one file: the last commit counts", async () => {
    const bytes = randomBytes(20_000);
    const one = await host.put({ path: at("file") });
    const two = await host.put({ path: at("file") });
    for (let i = 0; i < bytes.length; i += 7) host.data(one.id, bytes.subarray(i, i + 7));
    host.data(two.id, Buffer.from("two"));
    host.data(one.id, Buffer.alloc(0));
    const commits = [await host.commit(two.id, 3), await host.commit(one.id, bytes.length)];
    assert.deepEqual(
      commits.map(({ error }) => error),
      ["", ""],
    );
    assert.ok(bytes.equals(readFileSync(at("file"))));
  });

  it("tells of a full disk in the middle, and leaves nothing there", { skip: !isRoot }, async () => {
    const disk = mkdtempSync(path.join(tmpdir(), "small-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
    try {
      writeFileSync(path.join(disk, "file"), "old");
      const stream = await host.put({ path: path.join(disk, "file"), uploadId: uploadId() });
      for (let i = 0; i < 30; i++) host.data(stream.id, Buffer.alloc(65_000));
      assert.match((await host.ended(stream.id)).error, /^QXGA-4010 cannot write .*ENOSPC/);
      assert.match((await host.commit(stream.id, 1)).error, /^QXGA-4010 /);
      assert.deepEqual(readdirSync(disk), ["file"]);
      assert.equal(readFileSync(path.join(disk, "file"), "utf8"), "old");
      execFileSync("mount", ["-o", "remount,ro", disk]);
      assert.match(await host.refusal({ path: path.join(disk, "file") }), /^QXGA-4017 /);
    } finally {
      execFileSync("umount", [disk]);
      rmSync(disk, { recursive: true });
    }
  });

  it("is not led out of the folder it was begun in", async () => {
    mkdirSync(at("real"));
    mkdirSync(at("elsewhere"));
    const stream = await host.put({ path: at("real/file") });
    host.data(stream.id, Buffer.from("x"));
    renameSync(at("real"), at("moved"));
    symlinkSync("elsewhere", at("real"));
    assert.equal((await host.commit(stream.id, 1)).error, "");
    assert.deepEqual([readdirSync(at("elsewhere")), readdirSync(at("moved"))], [[], ["file"]]);
  });

  it("notices that somebody has put another file in the unfinished one's place", async () => {
    const stream = await host.put({ path: at("file") });
    host.data(stream.id, Buffer.from("x"));
    await until("it to be written", () => litter().some((name) => statSync(at(name)).size === 1));
    const [temp = ""] = litter();
    rmSync(at(temp));
    writeFileSync(at(temp), "forged");
    assert.match((await host.commit(stream.id, 1)).error, /^QXGA-4020 /);
    assert.equal(existsSync(at("file")), false);
  });
});

describe("the policy", () => {
  it("holds for transfers, wherever links lead", async () => {
    await using guarded = new Daemon();
    const inside = path.join(guarded.folder, "in");
    const secret = path.join(guarded.folder, "secret");
    for (const name of [inside, secret, `${inside}side`]) mkdirSync(name);
    writeFileSync(path.join(secret, "key"), "key");
    utimesSync(secret, 1, 1);
    symlinkSync(secret, path.join(inside, "link"));
    guarded.start({
      config: `security: { allow_file_write_paths: ["${inside}"], deny_file_read_paths: ["${secret}"], audit_logging: true }`,
    });
    const from = new TransferHost(await RawHost.connect(guarded.socket));
    const refused = async (file: string): Promise<void> => {
      assert.match(await from.refusal({ path: file, createParents: true }), /^QXGA-4008 /);
    };
    await refused(path.join(guarded.folder, "file"));
    await refused(`${inside}side/file`);
    await refused(path.join(inside, "link/file"));
    await refused(path.join(inside, "link/new/file"));
    assert.match((await from.get({ path: path.join(inside, "link/key") })).error, /^QXGA-4009 /);
    await from.upload(path.join(inside, "new/file"), Buffer.from("x"), { createParents: true });
    assert.deepEqual(readdirSync(secret), ["key"]);
    await guarded.logged("transfer_commit done");
    assert.match(guarded.log, /file_put refused/);
    assert.match(guarded.log, /file_get refused/);
    from.host.close();
  });
});
