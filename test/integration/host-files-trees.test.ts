import assert from "node:assert/strict";
import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { type Header, extract, pack } from "tar-stream";
import { HostError } from "../../src/host/index.ts";
import { allOf } from "../support/all-of.ts";
import { LocalFolder, withFiles } from "../support/with-files.ts";
import { codeOf } from "../support/with-agent.ts";

const local = new LocalFolder();

type Entry = Partial<Header> & Pick<Header, "name"> & { contents?: string };

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const stream = pack();
  for (const { contents, ...header } of entries) stream.entry(header, contents ?? "");
  stream.finalize();
  return Buffer.concat(await allOf(stream as AsyncIterable<Buffer>));
}

describe("a tree from a guest", () => {
  const unpack = async (entries: readonly Entry[], check: (result: unknown, target: string) => void) => {
    const tar = await tarOf(entries);
    await withFiles({ tar }, async (files) => {
      const target = local.at("target");
      let result: unknown;
      try {
        result = await files.downloadTree("/t", target);
      } catch (error) {
        result = error;
      }
      check(result, target);
    });
  };

  it("comes with its modes, times and links", async () => {
    const mtime = new Date(1_600_000_000_000);
    await unpack(
      [
        { name: ".", type: "directory" },
        { name: "shut", type: "directory", mode: 0o500, mtime },
        { name: "shut/run", mode: 0o4755, mtime, contents: "x".repeat(200_000) },
        { name: "link", type: "symlink", linkname: "/etc/passwd" },
        { name: "other/name", type: "link", linkname: "shut/run" },
        { name: "exact", pax: { mtime: "1600000000.25" } },
        { name: "not/announced", contents: "y" },
      ],
      (result, target) => {
        assert.deepEqual(result, {
          files: 4,
          folders: 2,
          links: 1,
          bytes: 200_001,
          skipped: [],
          skippedCount: 0,
        });
        const run = statSync(path.join(target, "shut/run"));
        assert.deepEqual([run.mode & 0o7777, run.mtimeMs, run.size], [0o755, mtime.getTime(), 200_000]);
        assert.equal(statSync(path.join(target, "exact")).mtimeMs, 1_600_000_000_250);
        assert.equal(statSync(path.join(target, "other/name")).ino, run.ino);
        const shut = statSync(path.join(target, "shut"));
        assert.deepEqual([shut.mode & 0o7777, shut.mtimeMs], [0o500, mtime.getTime()]);
        assert.equal(readlinkSync(path.join(target, "link")), "/etc/passwd");
      },
    );
  });

  const escapes: Record<string, Entry[]> = {
    "a name with ..": [{ name: "../outside", contents: "x" }],
    "a name with .. in it": [{ name: "a/../../outside", contents: "x" }],
    "an absolute name": [{ name: "/outside", contents: "x" }],
    "a link out, and a file in it": [
      { name: "l", type: "symlink", linkname: ".." },
      { name: "l/outside", contents: "x" },
    ],
    "a link out, and a folder in its place": [
      { name: "l", type: "symlink", linkname: ".." },
      { name: "l", type: "directory", mode: 0o777 },
      { name: "l/outside", contents: "x" },
    ],
    "a folder, a link in its place, and a file in that": [
      { name: "l", type: "directory" },
      { name: "l", type: "symlink", linkname: ".." },
      { name: "l/outside", contents: "x" },
    ],
    "a hard link through a link": [
      { name: "l", type: "symlink", linkname: "/etc" },
      { name: "outside", type: "link", linkname: "l/hostname" },
    ],
    "a hard link to a link": [
      { name: "l", type: "symlink", linkname: "/etc/hostname" },
      { name: "m", type: "link", linkname: "l" },
    ],
    "a hard link": [{ name: "l", type: "link", linkname: "../outside" }],
    "a device": [{ name: "l", type: "character-device", devmajor: 1, devminor: 3 }],
    "a FIFO": [{ name: "l", type: "fifo" }],
    "a file in place of the folder": [{ name: ".", contents: "x" }],
  };
  for (const [what, entries] of Object.entries(escapes)) {
    it(`has ${what}: it is refused, and nothing is written outside`, async () => {
      await unpack(entries, (result) => {
        assert.ok(result instanceof HostError, String(result));
        assert.equal(existsSync(local.at("outside")), false);
        assert.ok(readdirSync(local.path).every((name) => name === "target"));
      });
    });
  }

  it("replaces a link by a file, and does not write through it", async () => {
    await unpack(
      [
        { name: "l", type: "symlink", linkname: "../outside" },
        { name: "l", contents: "x" },
      ],
      (result, target) => {
        assert.ok(!(result instanceof Error), String(result));
        assert.ok(lstatSync(path.join(target, "l")).isFile());
        assert.equal(existsSync(local.at("outside")), false);
      },
    );
  });

  it("is cut, or no tar at all", async () => {
    const whole = await tarOf([{ name: "a", contents: "x".repeat(5_000) }]);
    for (const tar of [whole.subarray(0, 3_000), Buffer.alloc(2_000, "z")]) {
      await withFiles({ tar }, async (files) => {
        const target = local.at("target");
        assert.equal(await codeOf(files.downloadTree("/t", target)), "agent-error");
        assert.deepEqual(readdirSync(target), []);
      });
    }
  });

  it("is larger than the caller allows", async () => {
    const tar = await tarOf([{ name: "a", contents: "x".repeat(500_000) }]);
    await withFiles({ tar }, async (files) => {
      const coming = files.downloadTree("/t", local.at("target"), { maxBytes: 100_000 });
      assert.equal(await codeOf(coming), "too-large");
    });
  });

  it("goes the other way as tar too", async () => {
    await unpack(
      [
        { name: "d", type: "directory", mode: 0o750 },
        { name: "d/a", contents: "x".repeat(100_000) },
        { name: "d/l", type: "symlink", linkname: "a" },
      ],
      () => undefined,
    );
    await withFiles({}, async (files, guest) => {
      const { entries, bytes } = await files.uploadTree(local.at("target"), "/u", {
        keepOwner: true,
      });
      assert.deepEqual([entries, bytes], [7, 100_000]); // 7 is what the FakeFiles says
      const seen: Record<string, unknown> = {};
      const parser = extract();
      parser.end(guest.uploads[0]?.data);
      for await (const entry of parser as AsyncIterable<unknown> as AsyncIterable<
        { header: Header } & AsyncIterable<Buffer>
      >) {
        const { name, type, mode, linkname } = entry.header;
        seen[name] = [type, mode, linkname, (await text(entry)).length];
      }
      assert.deepEqual(seen, {
        ".": ["directory", 0o755, null, 0],
        d: ["directory", 0o750, null, 0],
        "d/a": ["file", 0o644, null, 100_000],
        "d/l": ["symlink", 0o777, "a", 0],
      });
    });
  });
});
