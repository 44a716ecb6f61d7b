import assert from "node:assert/strict";
import { closeSync, constants, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { once } from "node:events";
import path from "node:path";
import { addon } from "../../src/native/addon.ts";
import { threadsNamed } from "../support/children.ts";
import { until } from "../support/until.ts";

const O_PATH = 0o10000000;

describe("syncfs", () => {
  it("writes a file system out, also when the descriptor is closed meanwhile", async () => {
    const fd = openSync(tmpdir(), constants.O_RDONLY);
    const done = addon.syncfs(fd);
    closeSync(fd);
    await done;
  });

  it("rejects with the system's error", async () => {
    const fd = openSync(tmpdir(), O_PATH);
    await assert.rejects(addon.syncfs(fd), { code: "EBADF", errno: -9, syscall: "syncfs" });
    closeSync(fd);
    await assert.rejects(addon.syncfs(1_000_000), { code: "EBADF", syscall: "fcntl" });
  });

  it("says what it was given wrong", () => {
    for (const wrong of [-1, 0.5, NaN, 2 ** 31, "1", undefined, null]) {
      assert.throws(() => void addon.syncfs(wrong as number), TypeError);
    }
  });

  it("has at most eight on their way", async () => {
    await until("earlier threads to end", () => threadsNamed("lqx-sync") === 0);
    const fd = openSync(tmpdir(), constants.O_RDONLY);
    const results = await Promise.allSettled(Array.from({ length: 200 }, () => addon.syncfs(fd)));
    closeSync(fd);
    const failures = results.filter((result) => result.status === "rejected");
    assert.ok(failures.length <= 192);
    for (const { reason } of failures) assert.equal((reason as NodeJS.ErrnoException).code, "EAGAIN");
    await until("the threads to end", () => threadsNamed("lqx-sync") === 0);
  });

  it("may be under way when a worker ends", async () => {
    const addonFile = path.join(import.meta.dirname, "../../build/Release/limiquantix.node");
    const code = `const { syncfs } = require(${JSON.stringify(addonFile)});
      syncfs(require("node:fs").openSync("/tmp", 0)); process.exit();`;
    await once(new Worker(code, { eval: true }), "exit");
  });
});
