import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { addon } from "../../src/native/addon.ts";
import type { NewFile } from "../../src/native/files.ts";
import { inFolder } from "../support/tree.ts";

const O_PATH = 0o10000000;

async function withDescriptor(use: (fd: number, place: string) => Promise<void>): Promise<void> {
  await inFolder(async (place) => {
    const fd = fs.openSync(place, O_PATH);
    try {
      await use(fd, place);
    } finally {
      fs.closeSync(fd);
    }
  });
}

const newFile = (name: string, more: Partial<NewFile> = {}): NewFile => ({
  name,
  temporary: `.temporary ${name}`,
  content: Buffer.from(name),
  mode: 0o640,
  owner: undefined,
  modified: undefined,
  ...more,
});

describe("reading small files in one go", () => {
  it("reads those that are regular and fit, and says what is wrong with others", async () => {
    await withDescriptor(async (fd, place) => {
      fs.writeFileSync(path.join(place, "a"), "first");
      fs.writeFileSync(path.join(place, "ü"), "second");
      fs.writeFileSync(path.join(place, "large"), Buffer.alloc(1000));
      fs.symlinkSync("a", path.join(place, "link"));
      fs.mkdirSync(path.join(place, "folder"));
      const names = ["a", "large", "ü", "link", "folder", "missing"];
      const { content, numbers, errors } = await addon.readFiles(fd, names, 100);
      assert.equal(content.toString(), "firstsecond");
      assert.deepEqual(
        errors.map((error) => error?.code),
        [undefined, undefined, undefined, "ELOOP", undefined, "ENOENT"],
      );
      assert.equal(errors[5]?.path, "missing");
      const places = names.map((_, index) => [numbers[index * 10 + 8], numbers[index * 10 + 9]]);
      assert.deepEqual(places.slice(0, 3), [
        [0n, 5n],
        [-1n, 0n],
        [5n, 6n],
      ]);
      assert.equal(places[4]?.[0], -1n);
      const stats = fs.statSync(path.join(place, "ü"), { bigint: true });
      const { dev, ino, mode, nlink, uid, gid, size, mtimeNs } = stats;
      assert.deepEqual([...numbers.subarray(20, 28)], [dev, ino, mode, nlink, uid, gid, size, mtimeNs]);
    });
  });

  it("says what it was given wrong", () => {
    const given = [
      ["1", [], 1],
      [1, "a", 1],
      [1, ["a\0"], 1],
      [1, [""], 1],
      [1, [1], 1],
      [1, Array<string>(65).fill("a"), 1],
      [1, [], 2 ** 21],
    ];
    for (const [folder, names, most] of given as [number, string[], number][]) {
      assert.throws(() => void addon.readFiles(folder, names, most), TypeError);
    }
  });
});

describe("making small files in one go", () => {
  it("makes them with all that they have to get", async () => {
    await withDescriptor(async (fd, place) => {
      fs.writeFileSync(path.join(place, "old"), "to be replaced");
      const modified = { seconds: -2, nanos: 123_456_789 };
      await addon.placeFiles(fd, [newFile("old"), newFile("ü", { mode: 0o4751, modified })]);
      assert.deepEqual(fs.readdirSync(place).sort(), ["old", "ü"]);
      assert.equal(fs.readFileSync(path.join(place, "old"), "utf8"), "old");
      const stats = fs.statSync(path.join(place, "ü"), { bigint: true });
      assert.equal(stats.mode & 0o7777n, 0o4751n);
      assert.equal(stats.mtimeNs, -1_876_543_211n);
    });
  });

  it("stops at the first that it cannot make, and leaves no rest of it", async () => {
    await withDescriptor(async (fd, place) => {
      fs.mkdirSync(path.join(place, "b"));
      await assert.rejects(
        addon.placeFiles(
          fd,
          ["a", "b", "c"].map((name) => newFile(name)),
        ),
        {
          code: "EISDIR",
          syscall: "rename",
          path: "b",
        },
      );
      assert.deepEqual(fs.readdirSync(place).sort(), ["a", "b"]);
    });
  });

  it("says what it was given wrong", () => {
    const wrong: unknown[] = [
      undefined,
      [undefined],
      [{}],
      [newFile("a\0")],
      [newFile("")],
      [newFile("a", { content: "text" as unknown as Buffer })],
      [newFile("a", { modified: { seconds: 0, nanos: 1e9 } })],
      [newFile("a", { owner: {} as { uid: number; gid: number } })],
      Array<NewFile>(65).fill(newFile("a")),
    ];
    for (const files of wrong) {
      assert.throws(() => void addon.placeFiles(0, files as NewFile[]), TypeError);
    }
  });
});

describe("setting a file's time", () => {
  it("sets it to the nanosecond, of links too", async () => {
    await withDescriptor(async (_, place) => {
      const link = path.join(place, "link");
      const file = path.join(place, "file");
      fs.writeFileSync(file, "");
      fs.symlinkSync("file", link);
      await addon.setModified(link, { seconds: 5, nanos: 1 }, false);
      await addon.setModified(link, { seconds: 6, nanos: 999_999_999 }, true);
      assert.equal(fs.lstatSync(link, { bigint: true }).mtimeNs, 5_000_000_001n);
      assert.equal(fs.lstatSync(file, { bigint: true }).mtimeNs, 6_999_999_999n);
      await assert.rejects(addon.setModified(path.join(place, "x"), { seconds: 0, nanos: 0 }, true), {
        code: "ENOENT",
        syscall: "utimensat",
      });
    });
  });
});
