import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { Daemon } from "../support/daemon.ts";
import { RawHost } from "../support/raw-host.ts";
import { TransferHost, journalOf, unfinishedIn } from "../support/transfer-host.ts";
import { until } from "../support/until.ts";

const isRoot = process.getuid?.() === 0;

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
  folder = mkdtempSync(path.join(daemon.folder, "trees-"));
  host.host.received.length = 0;
});

const at = (name: string): string => path.join(folder, name);
const tar = (...args: string[]): Buffer => execFileSync("tar", args, { maxBuffer: 1e9 });
const journal = (): string[] => journalOf(daemon);
const litter = (): string[] => unfinishedIn(folder);

function makeTree(): void {
  mkdirSync(at("tree/a/b"), { recursive: true });
  writeFileSync(at("tree/a/b/small"), "small", { mode: 0o640 });
  writeFileSync(at("tree/large"), randomBytes(3_000_000));
  symlinkSync("../../outside", at("tree/a/link"));
  execFileSync("mkfifo", [at("tree/fifo")]);
}

describe("trees", () => {
  it("come as a tar stream that tar unpacks, without what is none of theirs", async () => {
    makeTree();
    const { id, error } = await host.getTree({ path: at("tree") });
    assert.equal(error, "");
    const end = await host.ended(id);
    assert.equal(end.error, "");
    assert.equal(end.bytes, host.received(id).length);
    assert.deepEqual(host.skipped(id), ["fifo: a FIFO"]);
    mkdirSync(at("copy"));
    writeFileSync(at("stream"), host.received(id));
    tar("-xpf", at("stream"), "-C", at("copy"));
    assert.ok(readFileSync(at("tree/large")).equals(readFileSync(at("copy/large"))));
    assert.equal(statSync(at("copy/a/b/small")).mode & 0o7777, 0o640);
    assert.equal(lstatSync(at("copy/a/link")).isSymbolicLink(), true);
  });

  it("are sent within the credit, and end when they are cancelled", async () => {
    makeTree();
    const descriptors = daemon.openDescriptors();
    const { id } = await host.getTree({ path: at("tree"), windowBytes: 1000 }, "cancelled");
    await until("the first bytes", () => host.received(id).length === 1000);
    await host.host.ask({ cancel: { messageId: "cancelled" } });
    assert.match((await host.ended(id)).error, /^QXGA-2009 /);
    await until("the descriptors to be closed", () => daemon.openDescriptors() <= descriptors);
  });

  it("are unpacked where the host says, and are on disk at the commit", async () => {
    makeTree();
    const bytes = tar("-cf", "-", "--format=pax", "--exclude=fifo", "-C", at("tree"), ".");
    const stream = await host.putTree({
      path: at("new/copy"),
      createParents: true,
      ...(isRoot && { owner: "nobody" }),
    });
    assert.equal(stream.error, "");
    await host.send(stream, bytes);
    const { error, entries } = await host.commit(stream.id, bytes.length);
    assert.deepEqual([error, entries], ["", 5]);
    assert.ok(readFileSync(at("tree/large")).equals(readFileSync(at("new/copy/large"))));
    if (isRoot) assert.equal(statSync(at("new/copy/a/b/small")).uid, 65534);
    assert.deepEqual([litter(), journal()], [[], []]);
  });

  it("end with what is wrong, and leave no unfinished file", async () => {
    assert.match((await host.putTree({ path: at("no/parent") })).error, /^QXGA-4004 /);
    assert.match((await host.getTree({ path: at("absent") })).error, /^QXGA-4001 /);
    writeFileSync(at("file"), "");
    assert.match((await host.putTree({ path: at("file") })).error, /^QXGA-4005 /);
    assert.match((await host.getTree({ path: at("file") })).error, /^QXGA-4005 /);

    const garbage = await host.putTree({ path: at("garbage") });
    await host.send(garbage, randomBytes(2_000));
    assert.match((await host.commit(garbage.id, 2_000)).error, /^QXGA-2001 .*tar/);

    mkdirSync(at("tree"));
    writeFileSync(at("tree/large"), randomBytes(2_000_000));
    const bytes = tar("-cf", "-", "-C", at("tree"), ".");
    const cut = await host.putTree({ path: at("cut") });
    await host.send(cut, bytes.subarray(0, 1_000_000));
    assert.match((await host.commit(cut.id, 1_000_000)).error, /^QXGA-2001 /);
    const short = await host.putTree({ path: at("short") });
    await host.send(short, bytes.subarray(0, 1_000_000));
    assert.match((await host.commit(short.id, bytes.length)).error, /^QXGA-4021 /);
    const given = await host.putTree({ path: at("given-up") }, "given up");
    await host.send(given, bytes.subarray(0, 1_000_000));
    await host.host.ask({ cancel: { messageId: "given up" } });
    assert.match((await host.ended(given.id)).error, /^QXGA-2009 /);
    assert.deepEqual([litter(), journal()], [[], []]);
  });

  it("leave nothing unfinished when the agent is killed, once the next one runs", async () => {
    await using other = new Daemon();
    other.start();
    const from = new TransferHost(await RawHost.connect(other.socket));
    mkdirSync(at("tree/inner"), { recursive: true });
    writeFileSync(at("tree/inner/large"), randomBytes(2_000_000));
    const bytes = tar("-cf", "-", "-C", at("tree"), ".");
    const stream = await from.putTree({ path: at("copy") });
    await from.send(stream, bytes.subarray(0, 1_000_000));
    await until("an unfinished file", () => litter().length > 0);
    await other.stop("SIGKILL");
    from.host.close();
    assert.equal(litter().length, 1);
    other.start();
    await until("nothing to be left", () => litter().length === 0);
    assert.deepEqual(readdirSync(at("copy/inner")), []);
  });
});
