import { execFileSync } from "node:child_process";
import assert from "node:assert/strict";
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  existsSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { RotatingFile } from "../../src/agent/rotating-file.ts";
import { until } from "../support/until.ts";

describe("rotating file", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "rotating-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const at = (name: string): string => path.join(folder, name);
  const lines = (name: string): string[] => readFileSync(at(name), "utf8").split("\n").slice(0, -1);

  it("keeps so many files of such a size, for their owner alone", async () => {
    const file = new RotatingFile({ file: at("logs/a.log"), maxBytes: 1000, maxFiles: 3 });
    for (let i = 0; i < 95; i++) {
      file.write(`${String(i).padStart(99, "0")}\n`);
      await until("it to be written", () => !file.isWaiting);
    }
    await file.close();
    const names = readdirSync(at("logs"));
    assert.deepEqual(names.sort(), ["a.log", "a.log.1", "a.log.2"]);
    assert.match(lines("logs/a.log.1")[0] ?? "", /80$/);
    assert.match(lines("logs/a.log.2").at(-1) ?? "", /79$/);
    assert.equal(statSync(at("logs/a.log")).mode & 0o777, 0o600);
    assert.equal(statSync(at("logs")).mode & 0o777, 0o700);
    for (const name of names) assert.ok(statSync(at(`logs/${name}`)).size <= 1000, name);
  });

  it("goes on when what kept it from writing is over, with nothing lost", async () => {
    writeFileSync(at("logs"), "a file where the folder should be");
    const file = new RotatingFile({ file: at("logs/a.log"), maxBytes: 1_000_000, maxFiles: 3 });
    for (let i = 0; i < 10; i++) assert.ok(file.write(`${i}\n`));
    await until("the failure", () => /EEXIST|ENOTDIR/.test(String(file.failure)));
    rmSync(at("logs"));
    await until("the lines", () => !file.isWaiting, 10_000);
    assert.deepEqual(
      lines("logs/a.log"),
      Array.from({ length: 10 }, (_, i) => String(i)),
    );
    assert.equal(file.failure, undefined);
    await file.close();
  });

  it("drops what is too much to keep, and says how much that was", async () => {
    writeFileSync(at("logs"), "");
    const file = new RotatingFile({ file: at("logs/a.log"), maxBytes: 1_000_000, maxFiles: 3 });
    const line = `${"x".repeat(99_999)}\n`;
    const taken = Array.from({ length: 20 }, () => file.write(line)).filter(Boolean).length;
    assert.equal(taken, 10);
    assert.equal(file.takeDropped(), 10);
    assert.equal(file.takeDropped(), 0);
    await file.close();
  });

  it("begins a new line behind one that was broken off", async () => {
    writeFileSync(at("a.log"), "whole\nbro");
    const file = new RotatingFile({ file: at("a.log"), maxBytes: 1_000_000, maxFiles: 3 });
    file.write("new\n");
    await file.close();
    assert.deepEqual(lines("a.log"), ["whole", "bro", "new"]);
  });

  it("makes its file anew when somebody has moved it", async () => {
    const file = new RotatingFile({ file: at("a.log"), maxBytes: 1_000_000, maxFiles: 2 });
    file.write("first\n");
    await until("it to be written", () => !file.isWaiting);
    renameSync(at("a.log"), at("moved"));
    await until(
      "the new file",
      () => {
        file.write("again\n");
        return existsSync(at("a.log"));
      },
      15_000,
    );
    await file.close();
    assert.equal(lines("moved")[0], "first");
    assert.equal(lines("a.log")[0], "again");
  });

  it(
    "writes each line whole, once, in order, whatever the disk takes",
    { skip: process.getuid?.() !== 0 },
    async () => {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
      try {
        writeFileSync(at("ballast"), Buffer.alloc(44_000));
        const file = new RotatingFile({ file: at("a.log"), maxBytes: 1_000_000, maxFiles: 2 });
        for (let i = 0; i < 30; i++) file.write(`${i} ${"x".repeat(1000)}\n`);
        await until("the full disk", () => /ENOSPC/.test(String(file.failure)));
        rmSync(at("ballast"));
        await until("the rest", () => !file.isWaiting, 10_000);
        await file.close();
        const whole = lines("a.log").filter((line) => line.endsWith("x".repeat(1000)));
        assert.deepEqual(
          whole.map((line) => Number(line.split(" ")[0])),
          Array.from({ length: 30 }, (_, i) => i),
        );
        assert.ok(lines("a.log").length <= 31);
      } finally {
        execFileSync("umount", [folder]);
      }
    },
  );
});
