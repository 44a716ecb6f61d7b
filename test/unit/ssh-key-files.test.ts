import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Audit, type WorkAuditRecord } from "../../src/agent/audit/audit.ts";
import { configSchema } from "../../src/agent/config/schema.ts";
import { Files } from "../../src/agent/files/files.ts";
import { Policy } from "../../src/agent/policy/policy.ts";
import { type Means, addKeys, listKeys, removeKeys } from "../../src/agent/ssh-keys/ssh-keys.ts";
import { CodedError } from "../../src/wire/errors.ts";
import { parse } from "valibot";
import { FakeTools } from "../support/fake-tools.ts";
import { ed25519Key } from "../support/ssh-key.ts";

const isRoot = process.getuid?.() === 0;
/** Another user than this process's, where it may give files away. */
const uid = isRoot ? 12_345 : (process.getuid?.() ?? 0);
const gid = isRoot ? 12_346 : (process.getgid?.() ?? 0);
const [first, second, third] = [ed25519Key(1), ed25519Key(2), ed25519Key(3)];

let folder = "";
let home = "";
let records: WorkAuditRecord[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "homes-"));
  home = path.join(folder, "alice");
  mkdirSync(home, { mode: 0o755 });
  chownSync(home, uid, gid);
  records = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function meansWith(security: object = {}): Means {
  const log = { info: (line: { audit: WorkAuditRecord }) => records.push(line.audit) };
  const audit = new Audit(log);
  return {
    files: new Files(new Policy(parse(configSchema, { security }).security), audit),
    audit,
    tools: new FakeTools(),
    accountOf: (name) => Promise.resolve({ name, uid, gid, home }),
    log: { warn: () => undefined },
  };
}

const context = {
  signal: new AbortController().signal,
  streams: { sessionName: "host" },
} as unknown as Parameters<typeof listKeys>[2];

const sshFolder = () => path.join(home, ".ssh");
const file = () => path.join(sshFolder(), "authorized_keys");
const content = () => readFileSync(file(), "utf8");
const add = (keys: string[], replace = false, means = meansWith()) =>
  addKeys("alice", { keys, replace }, means, context);
const list = async (means = meansWith()) => (await listKeys("alice", means, context)).map(({ line }) => line);
const remove = (...keys: string[]) => removeKeys("alice", keys, meansWith(), context);

function give(place: string, mode: number): void {
  chmodSync(place, mode);
  chownSync(place, uid, gid);
}

function withKeys(text: string): void {
  mkdirSync(sshFolder());
  writeFileSync(file(), text);
  give(sshFolder(), 0o700);
  give(file(), 0o600);
}

function facts(place: string): number[] {
  const { mode, uid: owner, gid: group } = lstatSync(place);
  return [mode & 0o7777, owner, group];
}

async function refused(work: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof CodedError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

describe("the keys of a user", () => {
  it("are made with their folder, for the user alone", async () => {
    assert.deepEqual(await list(), []);
    assert.equal(await remove(first), 0);
    assert.deepEqual(readdirSync(home), []);
    assert.equal(await add([`${first} a`, second]), 2);
    assert.deepEqual(facts(sshFolder()), [0o700, uid, gid]);
    assert.deepEqual(facts(file()), [0o600, uid, gid]);
    assert.equal(content(), `${first} a\n${second}\n`);
    assert.deepEqual(await list(), [`${first} a`, second]);
    assert.deepEqual(readdirSync(home), [".ssh"]);
    assert.deepEqual(readdirSync(sshFolder()), ["authorized_keys"]);
  });

  it("are not written again when nothing changes", async () => {
    await add([first]);
    const before = lstatSync(file()).ino;
    assert.equal(await add([`${first} other words`]), 0);
    assert.equal(await remove(second), 0);
    assert.equal(lstatSync(file()).ino, before);
    assert.equal(await remove(first), 1);
    assert.equal(content(), "");
    assert.equal(await add([third], true), 1);
    assert.equal(content(), `${third}\n`);
  });

  it("keep what is beside them, bytes and all", async () => {
    const other = Buffer.concat([
      Buffer.from("# caf\xe9\n\nwhat is this\n", "latin1"),
      Buffer.from(`${first}\n`),
    ]);
    withKeys("");
    writeFileSync(file(), other);
    await add([second]);
    await remove(first, second);
    assert.deepEqual(readFileSync(file()), other.subarray(0, other.length - first.length - 1));
  });

  it("get the owner and modes that sshd wants", async () => {
    withKeys(`${first}\n`);
    chmodSync(sshFolder(), 0o777);
    chmodSync(file(), 0o666);
    if (isRoot) chownSync(file(), uid, 0);
    assert.equal(await add([first]), 0);
    assert.deepEqual(facts(sshFolder()), [0o700, uid, gid]);
    assert.deepEqual(facts(file()), [0o600, uid, gid]);
  });

  it("stay root's where they are root's", { skip: !isRoot && "needs root" }, async () => {
    withKeys(`${first}\n`);
    chownSync(sshFolder(), 0, 0);
    chmodSync(sshFolder(), 0o755);
    chownSync(file(), 0, 0);
    chmodSync(file(), 0o664);
    assert.equal(await add([second]), 1);
    assert.deepEqual(facts(file()), [0o644, 0, 0]);
    assert.deepEqual(facts(sshFolder()), [0o755, 0, 0]);
  });

  it("all arrive when many requests come at once", async () => {
    const means = meansWith();
    const keys = Array.from({ length: 20 }, (_, i) => ed25519Key(i));
    await Promise.all(keys.map((key) => add([key], false, means)));
    assert.equal(content(), keys.map((key) => `${key}\n`).join(""));
  });

  it("are not lost when the user adds some at the same time", async () => {
    withKeys("");
    const means = meansWith();
    for (let i = 0; i < 50; i++) {
      const adding = add([ed25519Key(i)], false, means);
      await new Promise((resolve) => setImmediate(resolve));
      // As ssh-copy-id does it.
      appendFileSync(file(), `${ed25519Key(1000 + i)}\n`);
      await adding;
    }
    assert.ok((await list()).length >= 95, `${(await list()).length} of 100`);
  });

  it("are audited by name and nothing else", async () => {
    await add([first]);
    await refused(add(["nonsense"]), "invalidMessage");
    await list();
    assert.deepEqual(
      records.map(({ operation, target, outcome }) => [operation, target, outcome]),
      [
        ["ssh_key_add", "alice", "done"],
        ["ssh_key_add", "alice", "refused"],
        ["ssh_key_list", "alice", "done"],
      ],
    );
    assert.doesNotMatch(JSON.stringify(records), /AAAA|nonsense/);
  });

  it("are as free as other files: the policy is asked, and first", async () => {
    await refused(add([first], false, meansWith({ allow_file_write_paths: ["/srv"] })), "writeBlocked");
    assert.deepEqual(readdirSync(home), []);
    await add([first], false, meansWith({ allow_file_write_paths: [home] }));
    await refused(list(meansWith({ deny_file_read_paths: [home] })), "readBlocked");
  });
});

describe("a home that is a trap", () => {
  it("or none, is refused", async () => {
    home = path.join(folder, "not-there");
    await refused(add([first]), "fileNotFound");
    home = path.join(folder, "file");
    writeFileSync(home, "");
    await refused(add([first]), "fileNotFound");
  });

  it("leads nowhere by links", async () => {
    const victim = path.join(folder, "victim");
    mkdirSync(victim);
    symlinkSync(victim, sshFolder());
    for (const work of [add([first]), list(), remove(first)]) await refused(work, "notADirectory");
    rmSync(sshFolder());
    symlinkSync(path.join(folder, "not-there"), sshFolder());
    await refused(add([first]), "notADirectory");
    assert.deepEqual(readdirSync(victim), []);

    rmSync(sshFolder());
    withKeys("");
    rmSync(file());
    const secret = path.join(folder, "shadow");
    writeFileSync(secret, "root:hash\n", { mode: 0o600 });
    symlinkSync(secret, file());
    for (const work of [add([first]), list(), remove(first)]) await refused(work, "symlinkLoop");
    assert.equal(readFileSync(secret, "utf8"), "root:hash\n");
    assert.ok(lstatSync(file()).isSymbolicLink());
  });

  it("has nothing of others", { skip: !isRoot && "needs root" }, async () => {
    const secret = path.join(folder, "shadow");
    writeFileSync(secret, "root:hash\n", { mode: 0o600 });
    withKeys("");
    rmSync(file());
    linkSync(secret, file());
    for (const work of [add([first]), list(), remove(first)]) await refused(work, "fileDenied");
    chownSync(secret, 999, 999);
    await refused(list(), "fileDenied");
    rmSync(file());
    chownSync(sshFolder(), 999, 999);
    for (const work of [add([first]), list(), remove(first)]) await refused(work, "fileDenied");
    rmSync(sshFolder(), { recursive: true });
    chownSync(home, 999, 999);
    await refused(add([first]), "fileDenied");
    assert.equal(readFileSync(secret, "utf8"), "root:hash\n");
  });

  it("has only a file for keys, of a size that is one", async () => {
    withKeys("");
    rmSync(file());
    mkdirSync(file());
    await refused(list(), "notAFile");
    await refused(add([first]), "notAFile");
    rmSync(file(), { recursive: true });
    execFileSync("mkfifo", [file()]);
    await refused(list(), "notAFile");
    rmSync(file());
    writeFileSync(file(), Buffer.alloc(1024 * 1024 + 1, "#"));
    give(file(), 0o600);
    await refused(list(), "fileTooLarge");
    writeFileSync(file(), Buffer.alloc(1024 * 1024, "#"));
    assert.deepEqual(await list(), []);
    await refused(add([first]), "fileTooLarge");
    assert.equal(lstatSync(file()).size, 1024 * 1024);
    assert.deepEqual(readdirSync(sshFolder()), ["authorized_keys"]);
  });

  it(
    "cannot send a change elsewhere by swapping what it works in",
    { skip: !isRoot && "needs root" },
    async () => {
      const victim = path.join(folder, "victim");
      mkdirSync(victim, { mode: 0o755 });
      const swapper = `
      const fs = require("node:fs");
      process.setgid(${gid}); process.setuid(${uid});
      const ssh = ${JSON.stringify(sshFolder())};
      const quietly = (work) => { try { work(); } catch {} };
      const end = Date.now() + 1500;
      while (Date.now() < end) {
        quietly(() => fs.rmSync(ssh, { recursive: true, force: true }));
        quietly(() => fs.symlinkSync(${JSON.stringify(victim)}, ssh));
        quietly(() => fs.unlinkSync(ssh));
        quietly(() => fs.mkdirSync(ssh));
        quietly(() => fs.symlinkSync(${JSON.stringify(path.join(victim, "target"))}, ssh + "/authorized_keys"));
      }`;
      chmodSync(folder, 0o755);
      const child = spawn(process.execPath, ["-e", swapper], { stdio: "ignore" });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      const means = meansWith();
      for (let i = 0; child.exitCode === null; i++) {
        await add([ed25519Key(i % 900)], i % 2 === 0, means).catch((error: unknown) => {
          assert.ok(error instanceof CodedError, String(error));
        });
      }
      await ended;
      assert.deepEqual(readdirSync(victim), []);
      assert.deepEqual(facts(victim), [0o755, 0, 0]);
      assert.deepEqual(readdirSync(folder).sort(), ["alice", "victim"]);
    },
  );
});
