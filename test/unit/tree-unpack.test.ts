import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CodedError } from "../../src/wire/errors.ts";
import {
  archive,
  gnuTar,
  inFolder,
  inPieces,
  openDescriptors,
  packed,
  policyOf,
  seen,
  temporaries,
  unpacked,
} from "../support/tree.ts";
import { until } from "../support/until.ts";

const asRoot = { skip: process.getuid?.() === 0 ? false : "needs root" };

/** A folder to unpack into, beside one that nothing may touch; neither has temporary files afterwards. */
async function inTarget(use: (target: string, outside: string) => Promise<void>): Promise<void> {
  await inFolder(async (place) => {
    const target = path.join(place, "target");
    const outside = path.join(place, "outside");
    fs.mkdirSync(target);
    fs.mkdirSync(outside);
    fs.writeFileSync(path.join(outside, "precious"), "precious");
    const before = seen(outside);
    const descriptors = openDescriptors();
    await use(target, outside);
    assert.deepEqual(seen(outside), before);
    assert.deepEqual(temporaries(target), []);
    await until("descriptors to be closed", () => openDescriptors() <= descriptors);
  });
}

const read = (...names: string[]): string => fs.readFileSync(path.join(...names), "utf8");

describe("unpacking a tree", () => {
  for (const format of ["pax", "ustar", "gnu"]) {
    it(`takes what GNU tar makes: ${format}`, async () => {
      await inFolder(async (place) => {
        const from = path.join(place, "from");
        const to = path.join(place, "to");
        fs.mkdirSync(path.join(from, "a".repeat(60), "b".repeat(60)), { recursive: true });
        fs.mkdirSync(to);
        const deep = path.join(from, "a".repeat(60), "b".repeat(60));
        const long = format === "ustar" ? 90 : 250;
        fs.writeFileSync(path.join(deep, "c".repeat(long)), "deep");
        fs.symlinkSync("t".repeat(format === "ustar" ? 99 : 300), path.join(deep, "link"));
        fs.writeFileSync(path.join(from, "ü"), Buffer.alloc(300_000, 7));
        fs.linkSync(path.join(from, "ü"), path.join(from, "v"));
        fs.chmodSync(path.join(from, "ü"), 0o6711);
        for (const name of ["ü", "a".repeat(60)]) fs.utimesSync(path.join(from, name), 1, 1_500_000_000);
        fs.utimesSync(deep, 1, 1_400_000_000);
        fs.lutimesSync(path.join(deep, "link"), 1, 1_300_000_000);
        fs.utimesSync(path.join(deep, "c".repeat(long)), 1, 1_200_000_000);
        fs.utimesSync(from, 1, 1_100_000_000);
        const tar = gnuTar([`--format=${format}`, "-cf", "-", "-C", from, "."]);
        await unpacked(tar, to, { keepOwner: true });
        assert.deepEqual(seen(to), seen(from));
      });
    });
  }

  it("brings back any tree that is packed", async () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
      .filter(
        (text) => !/[/\0\ufffd]/.test(text) && text !== "." && text !== ".." && Buffer.byteLength(text) < 256,
      );
    const modified = fc.integer({ min: 0, max: 2_000_000_000_000 }).map((ms) => ms / 1000);
    const mode = fc.integer({ min: 0, max: 0o7777 });
    const file = fc.record({
      kind: fc.constant("file" as const),
      content: fc.oneof(
        fc.uint8Array({ maxLength: 1500 }),
        fc.constantFrom(65_535, 65_536, 65_537, 200_000).map((size) => new Uint8Array(size).fill(size)),
      ),
      mode,
      modified,
    });
    const link = fc.record({ kind: fc.constant("link" as const), target: name, modified });
    const second = fc.record({ kind: fc.constant("second" as const), of: fc.nat() });
    interface Leaf {
      kind: "folder";
      mode: number;
      modified: number;
      entries: Record<string, unknown>;
    }
    const { folder } = fc.letrec((tie) => ({
      folder: fc.record({
        kind: fc.constant("folder" as const),
        mode,
        modified,
        entries: fc.dictionary(name, fc.oneof({ maxDepth: 3 }, file, link, second, tie("folder")), {
          maxKeys: 6,
          noNullPrototype: true,
        }),
      }),
    }));
    const build = (place: string, tree: Leaf, files: string[]): void => {
      fs.mkdirSync(place);
      for (const [entry, value] of Object.entries(tree.entries)) {
        const at = path.join(place, entry);
        if (fs.existsSync(at)) continue;
        const item = value as
          | Leaf
          | { kind: "file"; content: Uint8Array; mode: number; modified: number }
          | { kind: "link"; target: string; modified: number }
          | { kind: "second"; of: number };
        if (item.kind === "folder") {
          build(at, item, files);
        } else if (item.kind === "link") {
          fs.symlinkSync(item.target, at);
          fs.lutimesSync(at, 0, item.modified);
        } else if (item.kind === "second") {
          const first = files[item.of % Math.max(files.length, 1)];
          if (first !== undefined) fs.linkSync(first, at);
        } else {
          fs.writeFileSync(at, item.content);
          fs.chmodSync(at, item.mode);
          fs.utimesSync(at, 0, item.modified);
          files.push(at);
        }
      }
      fs.chmodSync(place, tree.mode);
      fs.utimesSync(place, 0, tree.modified);
    };
    await fc.assert(
      fc.asyncProperty(folder, fc.integer({ min: 1, max: 70_000 }), async (tree, pieces) => {
        await inFolder(async (place) => {
          const from = path.join(place, "from");
          const to = path.join(place, "to");
          fs.mkdirSync(to);
          build(from, tree, []);
          const { tar, skipped } = await packed(from);
          assert.deepEqual(skipped, []);
          await unpacked(inPieces(tar, pieces), to, { keepOwner: true });
          assert.deepEqual(seen(to), seen(from));
        });
      }),
      { numRuns: 60 },
    );
  });

  it("keeps folders that are there, replaces files and links", async () => {
    await inTarget(async (target, outside) => {
      fs.mkdirSync(path.join(target, "folder"));
      fs.writeFileSync(path.join(target, "folder/stays"), "");
      fs.writeFileSync(path.join(target, "folder/file"), "old");
      fs.symlinkSync(path.join(outside, "precious"), path.join(target, "folder/link"));
      const mtime = new Date(1_600_000_000_000);
      const tar = await archive([
        { name: "folder", type: "directory", mode: 0o40751, mtime },
        { name: "folder/file", content: "new", mode: 0o600 },
        { name: "folder/link", content: "a file now" },
        { name: "implied/twice/file", content: "1" },
        { name: "folder/file", content: "newer", mode: 0o600 },
      ]);
      assert.equal(await unpacked(tar, target), 5);
      assert.equal(read(target, "folder/stays"), "");
      assert.equal(read(target, "folder/file"), "newer");
      assert.equal(read(target, "folder/link"), "a file now");
      // Also when the stream has come back to it.
      const { mode, mtimeMs } = fs.statSync(path.join(target, "folder"));
      assert.equal(mode & 0o7777, 0o751);
      assert.equal(mtimeMs, mtime.getTime());
      assert.equal(fs.statSync(path.join(target, "implied/twice")).mode & 0o7777, 0o755);
    });
  });

  it("gives owners: the agent's, one for all, the stream's", asRoot, async () => {
    const tar = await archive([
      { name: "d", type: "directory", uid: 11, gid: 12 },
      { name: "d/f", content: "", uid: 13, gid: 14, mode: 0o4755 },
      { name: "d/l", type: "symlink", linkname: "x", uid: 15, gid: 16 },
      { name: "e/f", content: "", uid: 17, gid: 18 },
    ]);
    const names = ["d", "d/f", "d/l", "e", "e/f"];
    const owners = (target: string): string[] =>
      names.map((name) => {
        const { uid, gid } = fs.lstatSync(path.join(target, name));
        return `${uid}:${gid}`;
      });
    for (const [options, expected] of [
      [{}, names.map(() => "0:0")],
      [{ owner: { uid: 7, gid: 8 } }, names.map(() => "7:8")],
      [{ keepOwner: true }, ["11:12", "13:14", "15:16", "0:0", "17:18"]],
    ] as const) {
      await inTarget(async (target) => {
        await unpacked(tar, target, options);
        assert.deepEqual(owners(target), expected);
        assert.equal(fs.statSync(path.join(target, "d/f")).mode & 0o7777, 0o4755);
      });
    }
  });

  const link = { type: "symlink", linkname: "../outside" } as const;
  const hostile: Record<string, [entries: Parameters<typeof archive>[0], code: string]> = {
    "an absolute name": [[{ name: "/tmp/x", content: "" }], "pathTraversal"],
    '".."': [[{ name: "a/../../outside/x", content: "" }], "pathTraversal"],
    '".." of a folder': [[{ name: "../outside", type: "directory" }], "pathTraversal"],
    "a NUL byte": [[{ name: "a", content: "", pax: { path: "a\0b" } }], "invalidMessage"],
    "a name that is too long": [[{ name: "n".repeat(256), content: "" }], "nameTooLong"],
    "a path that is too long": [[{ name: "n/".repeat(2100) + "n", content: "" }], "nameTooLong"],
    "a file for the top": [[{ name: ".", content: "" }], "invalidMessage"],
    "a file through its own link": [
      [
        { name: "l", ...link },
        { name: "l/precious", content: "" },
      ],
      "fileExists",
    ],
    "a folder through its own link": [
      [
        { name: "l", ...link },
        { name: "l/x/", type: "directory" },
      ],
      "fileExists",
    ],
    "a folder over its own link": [
      [
        { name: "l", ...link },
        { name: "l", type: "directory" },
      ],
      "fileExists",
    ],
    "a folder over its own file": [
      [
        { name: "l", content: "" },
        { name: "l/x", content: "" },
      ],
      "fileExists",
    ],
    "a link through its own link": [
      [
        { name: "l", ...link },
        { name: "l/x", ...link },
      ],
      "fileExists",
    ],
    "a file over a folder": [
      [
        { name: "d/x", content: "" },
        { name: "d", content: "" },
      ],
      "notAFile",
    ],
    "a hard link to outside": [
      [{ name: "h", type: "link", linkname: "../outside/precious" }],
      "pathTraversal",
    ],
    "a hard link to an absolute path": [
      [{ name: "h", type: "link", linkname: "/etc/passwd" }],
      "pathTraversal",
    ],
    "a hard link to what was there": [[{ name: "h", type: "link", linkname: "there" }], "pathTraversal"],
    "a hard link through its own link": [
      [
        { name: "l", ...link },
        { name: "h", type: "link", linkname: "l/precious" },
      ],
      "pathTraversal",
    ],
    "a hard link to a link in place of a file": [
      [
        { name: "l", content: "" },
        { name: "l", ...link },
        { name: "h", type: "link", linkname: "l" },
      ],
      "notAFile",
    ],
    "a character device": [
      [{ name: "null", type: "character-device", devmajor: 1, devminor: 3 }],
      "notAFile",
    ],
    "a block device": [[{ name: "sda", type: "block-device", devmajor: 8 }], "notAFile"],
    "a FIFO": [[{ name: "fifo", type: "fifo" }], "notAFile"],
    "GNU's sparse files": [[{ name: "s", content: "", pax: { "GNU.sparse.major": "1" } }], "invalidMessage"],
    "an impossible owner": [[{ name: "s", content: "", pax: { uid: "-1" } }], "invalidMessage"],
    "an impossible time": [[{ name: "s", content: "", pax: { mtime: "NaN" } }], "invalidMessage"],
    "an impossible size": [[{ name: "s", content: "", pax: { size: "-1" } }], "invalidMessage"],
  };
  for (const [what, [entries, code]] of Object.entries(hostile)) {
    it(`refuses ${what}`, async () => {
      await inTarget(async (target) => {
        fs.writeFileSync(path.join(target, "there"), "there");
        const tar = await archive(entries);
        await assert.rejects(unpacked(tar, target), (error) => {
          assert.ok(error instanceof CodedError);
          assert.equal(error.code, code, error.message);
          return true;
        });
      });
    });
  }

  it("follows no link that was there", async () => {
    await inTarget(async (target, outside) => {
      fs.symlinkSync(outside, path.join(target, "link"));
      const tar = await archive([{ name: "link/precious", content: "gone" }]);
      await assert.rejects(unpacked(tar, target), { code: "fileExists" });
    });
  });

  it("is not led outside by who swaps a folder for a link meanwhile", async () => {
    await inTarget(async (target, outside) => {
      const folder = path.join(target, "d");
      let swaps = 0;
      const tar = await archive(
        Array.from({ length: 400 }, (_, index) => ({ name: `d/e${index % 7}/precious`, content: "x" })),
      );
      for (let round = 0; round < 5; round++) {
        const timer = setInterval(() => {
          if (!fs.existsSync(folder)) return;
          // What is on its way goes on in the folder that was moved.
          fs.renameSync(folder, path.join(target, `aside ${++swaps}`));
          fs.symlinkSync(outside, folder);
        }, 1);
        await unpacked(tar, target).catch((error: unknown) => {
          assert.ok(error instanceof CodedError, String(error));
        });
        clearInterval(timer);
        fs.rmSync(folder, { recursive: true, force: true });
      }
      assert.ok(swaps > 0);
    });
  });

  it("writes only where the policy lets it", async () => {
    await inTarget(async (target, outside) => {
      const tar = await archive([{ name: "a", content: "" }]);
      await assert.rejects(unpacked(tar, target, { policy: policyOf({ writable: [outside] }) }), {
        code: "writeBlocked",
      });
      await unpacked(tar, target, { policy: policyOf({ writable: [target] }) });
    });
  });

  it("bounds extended headers before they are there", async () => {
    const [header] = await archive([{ name: "x".repeat(99), content: "", pax: { a: "b" } }]).then((tar) => [
      tar.subarray(0, 512),
    ]);
    assert.ok(header);
    for (const [type, size] of [
      ["x", 2 ** 30],
      ["g", 16 * 1024],
      ["L", 2 ** 30],
      ["K", 8192],
      ["x", 0],
    ] as const) {
      await inTarget(async (target) => {
        const huge = Buffer.from(header);
        huge.write(type, 156);
        huge.write(`${size.toString(8).padStart(11, "0")} `, 124);
        huge.write("        ", 148);
        const sum = huge.reduce((a, b) => a + b, 0);
        huge.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
        const endless = async function* (): AsyncGenerator<Buffer> {
          yield await Promise.resolve(huge);
          for (;;) yield Buffer.alloc(65_280, "1");
        };
        await assert.rejects(unpacked(endless(), target), { code: "invalidMessage" });
      });
    }
  });

  it("refuses what is cut off, anywhere, and garbage", async () => {
    const whole = await archive([
      { name: "a".repeat(150), content: "x".repeat(700) },
      { name: "b", content: Buffer.alloc(100_000) },
    ]);
    for (const bytes of [0, 1, 511, 512, 1024, 1536, 2000, 2560, 3000, 4096, 60_000, whole.length - 1025]) {
      await inTarget(async (target) => {
        await assert.rejects(unpacked(whole.subarray(0, bytes), target), { code: "invalidMessage" });
      });
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 3000 }), async (bytes) => {
        await inTarget(async (target) => {
          const garbage = Buffer.concat([Buffer.from("x"), bytes]);
          await assert.rejects(unpacked(garbage, target), { code: "invalidMessage" });
        });
      }),
      { numRuns: 30 },
    );
  });

  it("survives any change to an archive without touching what is outside", async () => {
    const good = gnuTar(["--format=gnu", "-cf", "-", "-C", import.meta.dirname, "stream-frame.test.ts"]);
    const whole = await archive([
      { name: "a".repeat(150), content: "x" },
      { name: "l", ...link },
      { name: "h", type: "link", linkname: "a".repeat(150) },
      { name: "d", type: "directory" },
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(good, whole),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        async (from, changes) => {
          await inTarget(async (target) => {
            const tar = Buffer.from(from);
            for (const [at, byte] of changes) tar[at % tar.length] = byte;
            await unpacked(tar, target).catch((error: unknown) => {
              assert.ok(error instanceof CodedError, String(error));
              assert.notEqual(error.code, "internal", error.message);
            });
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  it("ignores what comes behind the end", async () => {
    await inTarget(async (target) => {
      const tar = await archive([{ name: "a", content: "a" }]);
      const more = await archive([{ name: "b", content: "b" }]);
      assert.equal(
        await unpacked(Buffer.concat([tar, Buffer.alloc(7680), more, Buffer.from("?")]), target),
        1,
      );
      assert.deepEqual(fs.readdirSync(target), ["a"]);
    });
  });

  for (const size of [1_000, 500_000]) {
    it(`leaves whole files and nothing else when it is given up: files of ${size}`, async () => {
      await inTarget(async (target) => {
        const content = Buffer.alloc(size, "z");
        const tar = await archive(
          Array.from({ length: 20 }, (_, index) => ({ name: `d/f${index}`, content })),
        );
        const controller = new AbortController();
        const input = async function* (): AsyncGenerator<Buffer> {
          yield* inPieces(tar.subarray(0, tar.length / 2));
          await until("a file", () => fs.readdirSync(target).length > 0);
          controller.abort(new Error("enough"));
          await new Promise(() => undefined); // a host that sends nothing more
        };
        await assert.rejects(unpacked(input(), target, { signal: controller.signal }), { message: "enough" });
        for (const name of fs.readdirSync(path.join(target, "d"))) {
          assert.equal(fs.statSync(path.join(target, "d", name)).size, size);
        }
      });
    });
  }

  it("rejects with what the input rejects with", async () => {
    await inTarget(async (target) => {
      const tar = await archive([{ name: "f", content: Buffer.alloc(500_000) }]);
      const input = async function* (): AsyncGenerator<Buffer> {
        yield* inPieces(tar.subarray(0, 300_000));
        throw new CodedError("connectionLost", "the host has gone");
      };
      await assert.rejects(unpacked(input(), target), { code: "connectionLost" });
    });
  });

  it("says when the disk is full, and leaves no rest", asRoot, async () => {
    for (const size of [20_000, 3_000_000]) {
      await inTarget(async (target) => {
        assert.equal(spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", target]).status, 0);
        try {
          const content = Buffer.alloc(size, 1);
          const tar = await archive(
            Array.from({ length: 100 }, (_, index) => ({ name: `f${index}`, content })),
          );
          await assert.rejects(unpacked(tar, target), { code: "diskFull" });
          assert.deepEqual(temporaries(target), []);
          for (const name of fs.readdirSync(target))
            assert.equal(fs.statSync(path.join(target, name)).size, size);
        } finally {
          await until("it to be free", () => spawnSync("umount", [target]).status === 0);
        }
      });
    }
  });

  it("takes no memory for 20,000 files", async () => {
    await inTarget(async (target) => {
      const input = async function* (): AsyncGenerator<Buffer> {
        for (let index = 0; index < 20_000; index += 100) {
          const files = Array.from({ length: 100 }, (_, at) => ({
            name: `d${index}/file ${index + at}`,
            content: Buffer.alloc(5_000),
          }));
          yield (await archive(files)).subarray(0, -1024);
        }
        yield Buffer.alloc(1024);
      };
      const before = process.memoryUsage();
      let most = 0;
      const timer = setInterval(() => {
        const { heapUsed, external } = process.memoryUsage();
        most = Math.max(most, heapUsed + external - before.heapUsed - before.external);
      }, 10);
      assert.equal(await unpacked(input(), target), 20_000);
      clearInterval(timer);
      assert.ok(most < 64 * 1024 * 1024, `${most >> 20} MiB`);
    });
  });
});
