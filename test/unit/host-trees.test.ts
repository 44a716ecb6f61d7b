import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { HostError } from "../../src/host/index.ts";
import { Joiner } from "../../src/host/files/joiner.ts";
import { Pace } from "../../src/host/files/pace.ts";
import { Packer } from "../../src/host/files/packer.ts";
import { ProgressTeller } from "../../src/host/files/progress.ts";
import { TarReader } from "../../src/host/files/tar-reader.ts";
import { Unpacker } from "../../src/host/files/unpacker.ts";
import { streamDataHeadBytes } from "../../src/wire/stream-frame.ts";
import { LocalFolder } from "../support/with-files.ts";

const local = new LocalFolder();

const facts = { mode: 0o640, modifiedAt: 1600000000 };

/** As on a file system of another machine, and as on one of this. */
const paces = {
  "in threads": () => new Pace(() => Promise.resolve(false)),
  "in this thread": () => new Pace(() => Promise.resolve(true)),
};

const descriptors = (): number => readdirSync("/proc/self/fd").length;

for (const [where, pace] of Object.entries(paces)) {
  describe(`an Unpacker, ${where}`, () => {
    it("writes files that are new, that replace others, and that come twice", async () => {
      const target = local.at("t");
      mkdirSync(path.join(target, "0"), { recursive: true });
      writeFileSync(path.join(target, "0/5"), "before");
      symlinkSync("/etc/passwd", path.join(target, "0/6"));
      const before = descriptors();
      const unpacker = await Unpacker.open(target, pace());
      for (let i = 0; i < 300; i++) {
        const components = [String(i % 3), String(i % 90)];
        await unpacker.smallFile(components, facts, Buffer.from(`content ${i}`));
      }
      await unpacker.folder(["shut"], { ...facts, mode: 0o500 });
      for (let i = 0; i < 50; i++) await unpacker.smallFile(["shut", `${i}`], facts, Buffer.from("x"));
      await unpacker.finish();
      assert.equal(descriptors(), before);
      for (let i = 210; i < 300; i++) {
        const place = path.join(target, String(i % 3), String(i % 90));
        assert.equal(readFileSync(place, "utf8"), `content ${i}`);
        const { mode, mtimeMs } = statSync(place);
        assert.deepEqual([mode & 0o7777, mtimeMs], [0o640, facts.modifiedAt * 1000]);
      }
      const shut = statSync(path.join(target, "shut"));
      assert.deepEqual([shut.mode & 0o7777, shut.mtimeMs], [0o500, facts.modifiedAt * 1000]);
      const left = readdirSync(target, { recursive: true }).filter((name) => String(name).includes(".part"));
      assert.deepEqual(left, []);
    });

    it("tells what cannot be written, and leaves nothing of it", async () => {
      const target = local.at("t");
      mkdirSync(path.join(target, "f/in the way"), { recursive: true });
      const before = descriptors();
      const unpacker = await Unpacker.open(target, pace());
      await assert.rejects(
        async () => {
          await unpacker.smallFile(["f", "in the way"], facts, Buffer.from("x"));
          await unpacker.finish();
        },
        (error) => error instanceof HostError && error.code === "local-file",
      );
      await unpacker.stopped();
      assert.equal(descriptors(), before);
      assert.deepEqual(readdirSync(path.join(target, "f")), ["in the way"]);
    });
  });

  describe(`a Packer, ${where}`, () => {
    it("sends files of all sizes, and leaves out what cannot be read", async () => {
      const source = local.at("s");
      const sizes: Record<string, number> = {};
      for (let i = 0; i < 200; i++) {
        const name = `${i % 5}/${i}`;
        mkdirSync(path.join(source, String(i % 5)), { recursive: true });
        sizes[name] = i % 50 === 0 ? 65_536 + i * 1000 : i * 7;
        writeFileSync(path.join(source, name), Buffer.alloc(sizes[name], "x"));
      }
      symlinkSync("nowhere", path.join(source, "link"));
      const isRoot = process.getuid?.() === 0;
      writeFileSync(path.join(source, "secret"), "");
      chmodSync(path.join(source, "secret"), 0);
      linkSync(path.join(source, "0/5"), path.join(source, "0/again"));
      sizes["0/again"] = 35;
      if (isRoot) sizes.secret = 0;

      const frames: Buffer[] = [];
      const sendInPlace = async (buffer: Buffer, dataBytes: number, taken: () => void): Promise<void> => {
        frames.push(Buffer.from(buffer.subarray(streamDataHeadBytes, streamDataHeadBytes + dataBytes)));
        await setImmediate();
        taken();
      };
      const before = descriptors();
      const progress = new ProgressTeller(undefined, undefined);
      const packer = new Packer(source, new Joiner(sendInPlace), { sendInPlace }, progress, pace());
      await packer.run();
      assert.equal(descriptors(), before);
      assert.equal(packer.skippedCount, isRoot ? 0 : 1);
      assert.equal(Buffer.concat(frames).length, packer.totalBytes);

      const reader = new TarReader("/t");
      for (const frame of frames) reader.push(frame);
      const found: Record<string, number> = {};
      const others: string[] = [];
      for (let entry = reader.next(); entry; entry = reader.next()) {
        if (entry.type === "file") found[entry.name] = reader.whole()?.length ?? -1;
        else others.push(`${entry.type} ${entry.name} ${entry.linkTo}`);
      }
      reader.end();
      assert.deepEqual(found, sizes);
      const folders = [".", 0, 1, 2, 3, 4].map((name) => `directory ${name} `);
      assert.deepEqual(others.sort(), [...folders, "symlink link nowhere"].sort());
    });
  });
}
