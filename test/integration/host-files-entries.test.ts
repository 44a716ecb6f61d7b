import assert from "node:assert/strict";
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { FileChanges } from "../../src/host/index.ts";
import { allOf } from "../support/all-of.ts";
import { agentCodeOf, withGuest } from "../support/guest-files.ts";
import { until } from "../support/until.ts";

describe("entries of a guest's folders", () => {
  it("are made, listed, told of, renamed and removed", async () => {
    await withGuest(async ({ files, at, names }) => {
      await files.mkdir(at("d/e"), { recursive: true });
      await files.mkdir(at("d/.hidden"), { mode: 0o700 });
      await files.writeFile(at("d/a"), "abc", { mode: 0o600 });
      await files.symlink("a", at("d/link"));
      assert.deepEqual(
        (await allOf(files.list(at("d")))).map(({ name, kind, mode }) => [name, kind, mode]),
        [
          [".hidden", "directory", 0o700],
          ["a", "file", 0o600],
          ["e", "directory", 0o755],
          ["link", "symlink", 0o777],
        ],
      );
      assert.equal((await allOf(files.list(at("d"), { hidden: false }))).length, 3);

      const facts = statSync(at("d/a"));
      const info = await files.stat(at("d/link"));
      assert.deepEqual([info.kind, info.inode, info.sizeBytes], ["file", facts.ino, 3]);
      assert.deepEqual(info.changedAt, new Date(Math.round(facts.ctimeMs)));
      const link = await files.stat(at("d/link"), { follow: false });
      assert.deepEqual([link.kind, link.symlinkTarget], ["symlink", "a"]);

      assert.equal(await agentCodeOf(files.mkdir(at("d"))), "QXGA-4003");
      assert.equal(await agentCodeOf(files.rename(at("d/a"), at("d/link"), { replace: false })), "QXGA-4003");
      await files.rename(at("d/a"), at("d/b"));
      assert.deepEqual(await files.copy(at("d/b"), at("x/y"), { createParents: true }), { bytes: 3 });
      assert.equal(readFileSync(at("x/y"), "utf8"), "abc");
      await files.symlink("elsewhere", at("d/link"), { replace: true });
      assert.equal(readlinkSync(at("d/link")), "elsewhere");
      await files.remove(at("d/link"));
      assert.equal(await agentCodeOf(files.remove(at("d"))), "QXGA-4013");
      await files.remove(at("d"), { recursive: true });
      assert.deepEqual(names(), ["x"]);
    });
  });

  it("get other attributes", async () => {
    await withGuest(async ({ files, at }) => {
      writeFileSync(at("a"), "abc");
      const modifiedAt = new Date(1_500_000_000_250);
      await files.setAttributes(at("a"), { mode: 0o604, modifiedAt });
      const { mode, modifiedAt: told } = await files.stat(at("a"));
      assert.deepEqual([mode, told], [0o604, modifiedAt]);
      await files.symlink("a", at("link"));
      await files.setAttributes(at("link"), { modifiedAt: new Date(0), follow: false });
      assert.equal(lstatSync(at("link")).mtimeMs, 0);
      assert.equal(statSync(at("a")).mtimeMs, modifiedAt.getTime());
      assert.equal(existsSync(at("none")), false);
      assert.equal(await agentCodeOf(files.setAttributes(at("none"), { mode: 0o600 })), "QXGA-4001");
    });
  });

  it("are watched", async () => {
    await withGuest(async ({ files, at }) => {
      await files.mkdir(at("d"));
      const ending = new AbortController();
      const seen: FileChanges["changes"] = [];
      const watching = (async () => {
        for await (const { changes } of files.watch(at("d"), { signal: ending.signal }))
          seen.push(...changes);
      })();
      await until("a change that is told", async () => {
        await files.writeFile(at("d/a"), "abc");
        return seen.some(({ name, renamed }) => name === "a" && renamed);
      });
      ending.abort();
      await watching;
    });
  });
});
