import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lutimesSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import type { Progress } from "../../src/host/index.ts";
import { withGuest } from "../support/guest-files.ts";
import { LocalFolder, pattern } from "../support/with-files.ts";
import { codeOf } from "../support/with-agent.ts";

const local = new LocalFolder();

/** All that is in a folder: what it is, its mode, whole seconds of its time, and what it holds. */
function contentsOf(folder: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of readdirSync(folder, { recursive: true }).map(String)) {
    const place = path.join(folder, name);
    const { mode, mtimeMs } = lstatSync(place);
    const what = lstatSync(place).isSymbolicLink()
      ? readlinkSync(place)
      : lstatSync(place).isDirectory()
        ? "folder"
        : readFileSync(place).toString("base64");
    found[name] = [(mode & 0o7777).toString(8), Math.floor(mtimeMs / 1000), what];
  }
  return found;
}

/** A folder with names, sizes and times of all kinds. */
function plant(folder: string): void {
  const names = ["a", "dir/b", "dir/deep/c", ".hidden", "schön ✓", `long-${"x".repeat(150)}`, "with\nline"];
  mkdirSync(path.join(folder, "dir/deep"), { recursive: true });
  mkdirSync(path.join(folder, "empty"));
  for (const [index, name] of names.entries()) {
    writeFileSync(path.join(folder, name), pattern(index * 100_003));
    chmodSync(path.join(folder, name), 0o640 + index);
    utimesSync(path.join(folder, name), 1, 1_600_000_000.9998 + index); // of the same second when it is cut off
  }
  symlinkSync("../a", path.join(folder, "dir/link"));
  symlinkSync("/etc/shadow", path.join(folder, "out"));
  for (const name of ["dir/link", "out"]) lutimesSync(path.join(folder, name), 1, 1_600_000_100);
  for (let i = 0; i < 500; i++) writeFileSync(path.join(folder, `empty/${i}`), String(i));
  for (const name of ["dir/deep", "dir", "empty"]) utimesSync(path.join(folder, name), 1, 1_600_000_200.9998);
}

describe("trees and the real agent", () => {
  it("are the same when they have come, and come back the same", async () => {
    await withGuest(async ({ files, at }) => {
      const source = local.at("source");
      mkdirSync(source);
      plant(source);
      execFileSync("mkfifo", [path.join(source, "fifo")]);
      const told: Progress[] = [];
      const up = await files.uploadTree(source, at("tree"), {
        onProgress: (progress) => told.push(progress),
      });
      assert.deepEqual([up.skippedCount, up.skipped.length], [1, 1]);
      assert.equal(told.at(-1)?.bytes, up.bytes);
      rmSync(path.join(source, "fifo"));
      const expected = contentsOf(source);
      assert.deepEqual(contentsOf(at("tree")), expected);

      const down = await files.downloadTree(at("tree"), local.at("back"));
      assert.deepEqual([down.files, down.links, down.bytes], [507, 2, up.bytes]);
      assert.deepEqual(contentsOf(local.at("back")), expected);
    });
  });

  it("are given up when the signal says so", async () => {
    await withGuest(async ({ files, at }) => {
      mkdirSync(at("tree"));
      writeFileSync(at("tree/a"), pattern(50_000_000));
      const ending = new AbortController();
      const options = {
        signal: ending.signal,
        onProgress: () => {
          ending.abort();
        },
      };
      assert.equal(await codeOf(files.downloadTree(at("tree"), local.at("t"), options)), "aborted");
      assert.deepEqual(readdirSync(local.at("t")), []);
      assert.equal(await codeOf(files.uploadTree(at("tree"), at("u"), options)), "aborted");
      assert.equal(await codeOf(files.uploadTree(local.at("none"), at("u"))), "local-file");
      assert.equal(await codeOf(files.downloadTree(at("none"), local.at("v"))), "agent-error");
    });
  });
});
