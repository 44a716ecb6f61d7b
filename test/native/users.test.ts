import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { once } from "node:events";
import { addon } from "../../src/native/addon.ts";
import { threadsNamed } from "../support/children.ts";
import { until } from "../support/until.ts";

/** As the files of this machine have it. */
function entries(file: string): string[][] {
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(":"));
}

describe("user and group lookup", () => {
  it("finds all users of this machine, by name and by id", async () => {
    const ids = new Set<string>();
    for (const [name = "", , uid = "", gid = "", , home, shell] of entries("/etc/passwd")) {
      const user = await addon.lookupUser(name);
      const groups = execFileSync("id", ["-G", name], { encoding: "utf8" }).trim().split(" ").map(Number);
      const expected = { name, uid: Number(uid), gid: Number(gid), home, shell };
      assert.ok(user !== undefined);
      const { groups: found, ...rest } = user;
      assert.deepEqual(rest, expected);
      assert.deepEqual(new Set(found), new Set(groups));
      if (!ids.has(uid)) assert.deepEqual(await addon.lookupUser(Number(uid)), user);
      ids.add(uid);
    }
  });

  it("finds all groups of this machine, by name and by id", async () => {
    for (const [name = "", , gid] of entries("/etc/group")) {
      assert.deepEqual(await addon.lookupGroup(name), { name, gid: Number(gid) });
      assert.deepEqual(await addon.lookupGroup(Number(gid)), { name, gid: Number(gid) });
    }
  });

  it("finds nobody where there is none; a name of digits is a name", async () => {
    for (const nobody of ["", "0", "no such user", "x".repeat(100_000), "root\n", 4_000_000_000]) {
      assert.equal(await addon.lookupUser(nobody), undefined);
      assert.equal(await addon.lookupGroup(nobody), undefined);
    }
  });

  it("says what it was given wrong", () => {
    for (const wrong of ["root\0x", -1, 4294967295, 1.5, NaN, undefined, null, {}]) {
      assert.throws(() => void addon.lookupUser(wrong as string), TypeError);
      assert.throws(() => void addon.lookupGroup(wrong as string), TypeError);
    }
  });

  it("has at most eight on their way", async () => {
    await until("earlier threads to end", () => threadsNamed("lqx-lookup") === 0);
    const results = await Promise.allSettled(Array.from({ length: 200 }, () => addon.lookupUser("root")));
    const failures = results.filter((result) => result.status === "rejected");
    assert.ok(failures.length < 200);
    for (const { reason } of failures) {
      const { code, syscall } = reason as NodeJS.ErrnoException;
      assert.deepEqual({ code, syscall }, { code: "EAGAIN", syscall: "lookup" });
    }
    assert.equal((await addon.lookupUser("root"))?.uid, 0);
    await until("all threads to end", () => threadsNamed("lqx-lookup") === 0);
  });

  it("survives the end of its worker", async () => {
    for (let i = 0; i < 20; i++) {
      const worker = new Worker(
        `const addon = require(${JSON.stringify(path.resolve("build/Release/limiquantix.node"))});
         const { parentPort } = require("node:worker_threads");
         (async () => { for (;;) parentPort.postMessage((await addon.lookupUser("root")).uid); })();`,
        { eval: true },
      );
      assert.deepEqual(await once(worker, "message"), [0]);
      await worker.terminate();
    }
    await until("all threads to end", () => threadsNamed("lqx-lookup") === 0);
  });
});
