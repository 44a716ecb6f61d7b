import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { describe, it } from "node:test";
import { Folder } from "../../src/agent/files/folder.ts";
import { packTree } from "../../src/agent/trees/pack-tree.ts";
import {
  gnuTar,
  inFolder,
  listed,
  openDescriptors,
  packed,
  policyOf,
  seen,
  unpacked,
} from "../support/tree.ts";
import { until } from "../support/until.ts";

const asRoot = { skip: process.getuid?.() === 0 ? false : "needs root" };

/** One of each that is packed. */
function makeTree(place: string): void {
  const at = (name: string): string => path.join(place, name);
  fs.mkdirSync(at("folder/empty"), { recursive: true });
  fs.writeFileSync(at("folder/small"), "some text");
  fs.writeFileSync(at("folder/nothing"), "");
  fs.writeFileSync(at("large"), Buffer.alloc(1_000_003, "0123456789"));
  fs.linkSync(at("folder/small"), at("second name"));
  fs.linkSync(at("large"), at("folder/large again"));
  fs.symlinkSync("../large", at("folder/link"));
  fs.symlinkSync("/nowhere/".repeat(40), at("long link"));
  fs.symlinkSync("ünïcödé", at("link to ünïcödé"));
  fs.writeFileSync(at("ünïcödé 🎉\n"), "unicode");
  fs.mkdirSync(at(path.join("d".repeat(200), "e".repeat(200))), { recursive: true });
  fs.writeFileSync(at(path.join("d".repeat(200), "e".repeat(200), "f".repeat(255))), "deep");
  fs.chmodSync(at("folder/nothing"), 0);
  fs.chmodSync(at("large"), 0o4755);
  fs.chmodSync(at("folder/empty"), 0o1777);
  fs.chmodSync(at("folder"), 0o2750);
  fs.utimesSync(at("folder/small"), 0, 1_234_567_890.123_456);
  fs.utimesSync(at("second name"), 0, 4_000_000_000);
  fs.utimesSync(at("ünïcödé 🎉\n"), 0, -1.5);
  fs.utimesSync(at("folder/empty"), 0, 1_000_000_000);
  fs.utimesSync(at("folder"), 0, 1_111_111_111);
}

describe("packing a tree", () => {
  it("makes a stream that GNU tar unpacks to the same", async () => {
    await inFolder(async (place) => {
      const from = path.join(place, "from");
      const to = path.join(place, "to");
      fs.mkdirSync(to);
      fs.mkdirSync(from);
      makeTree(from);
      const { tar, count } = await packed(from);
      assert.equal(count, 0);
      gnuTar(["-xpf", "-", "-C", to], tar);
      assert.deepEqual(seen(to), seen(from));
      assert.equal([...(await listed(tar)).keys()][0], "./");
    });
  });

  it("makes a stream that comes back the same", async () => {
    await inFolder(async (place) => {
      const from = path.join(place, "from");
      const to = path.join(place, "to");
      fs.mkdirSync(to);
      fs.mkdirSync(from);
      makeTree(from);
      const before = openDescriptors();
      const { tar } = await packed(from);
      const entries = await unpacked(tar, to, { keepOwner: true });
      assert.deepEqual(seen(to), seen(from));
      assert.equal(entries, Object.keys(seen(from)).length - 1);
      await until("descriptors to be closed", () => openDescriptors() <= before);
    });
  });

  it("carries owners, large numbers and names included", asRoot, async () => {
    await inFolder(async (place) => {
      fs.writeFileSync(path.join(place, "a"), "");
      fs.chownSync(place, 0, 0);
      fs.chownSync(path.join(place, "a"), 4_000_000_000, 3_000_000);
      fs.symlinkSync("a", path.join(place, "b"));
      fs.lchownSync(path.join(place, "b"), 1234, 5678);
      const entries = await listed((await packed(place)).tar);
      assert.equal(entries.get("./")?.uname, "root");
      assert.deepEqual((entries.get("a")?.pax as Record<string, string>)["uid"], "4000000000");
      assert.deepEqual((entries.get("a")?.pax as Record<string, string>)["gid"], "3000000");
      assert.equal(entries.get("b")?.uid, 1234);
      assert.equal(entries.get("b")?.gid, 5678);
    });
  });

  it("leaves out what cannot be packed, and says so", asRoot, async () => {
    await inFolder(async (place) => {
      const at = (name: string): string => path.join(place, name);
      fs.mkdirSync(at("in"));
      fs.mkdirSync(at("secret"));
      fs.writeFileSync(at("secret/key"), "");
      fs.writeFileSync(at("in/denied"), "x");
      fs.writeFileSync(at("in/kept"), "x");
      fs.linkSync(at("in/denied"), at("in/denied by another name"));
      fs.writeFileSync(Buffer.from(`${place}/in/\xff`, "latin1"), "x");
      for (const args of [
        ["fifo", "p"],
        ["device", "c", "1", "3"],
      ]) {
        spawnSync("mknod", [at(`in/${args[0] ?? ""}`), ...args.slice(1)]);
      }
      const server = createServer().listen(at("in/socket"));
      await until("the socket", () => fs.existsSync(at("in/socket")));
      const policy = policyOf({ unreadable: [at("secret"), at("in/denied")] });
      const { tar, skipped, count } = await packed(place, policy);
      server.close();
      assert.deepEqual([...(await listed(tar)).keys()], ["./", "in/", "in/kept"]);
      assert.equal(count, 7);
      const denied = "is in deny_file_read_paths of the guest's configuration";
      assert.deepEqual(skipped.sort(), [
        `in/denied by another name: ${at("in/denied by another name")} ${denied}`,
        `in/denied: ${at("in/denied")} ${denied}`,
        "in/device: a device",
        "in/fifo: a FIFO",
        "in/socket: a socket",
        "in/\ufffd: its name is not UTF-8",
        `secret: ${at("secret")} ${denied}`,
      ]);
      await assert.rejects(packed(place, policyOf({ unreadable: [place] })), { code: "readBlocked" });
    });
  });

  it("stays in its file system, and takes no bind mounts", asRoot, async () => {
    await inFolder(async (place) => {
      for (const name of ["tmpfs", "bound", "own"]) fs.mkdirSync(path.join(place, name));
      const mount = (...args: string[]): number | null => spawnSync("mount", args).status;
      assert.equal(mount("-t", "tmpfs", "none", path.join(place, "tmpfs")), 0);
      assert.equal(mount("--bind", path.join(place, "own"), path.join(place, "bound")), 0);
      try {
        const { tar, skipped } = await packed(place);
        assert.deepEqual([...(await listed(tar)).keys()], ["./", "own/"]);
        assert.deepEqual(skipped, ["bound: another file system", "tmpfs: another file system"]);
      } finally {
        for (const name of ["tmpfs", "bound"]) spawnSync("umount", [path.join(place, name)]);
      }
    });
  });

  it("fills up a file that becomes shorter, cuts one that grows, and says so", async () => {
    await inFolder(async (place) => {
      const bytes = 3_000_000;
      for (const name of ["a", "b"]) fs.writeFileSync(path.join(place, name), Buffer.alloc(bytes, 1));
      const folder = await Folder.open(place);
      const { signal } = new AbortController();
      const { stream, skipped } = packTree(folder, { policy: policyOf(), signal });
      const chunks: Buffer[] = [];
      for await (const chunk of stream) {
        // By now both are open, as they are read ahead.
        if (chunks.length === 0) fs.truncateSync(path.join(place, "a"), 1_000_000);
        if (chunks.length === 0) fs.appendFileSync(path.join(place, "b"), "more");
        chunks.push(chunk);
      }
      folder.close();
      const entries = await listed(Buffer.concat(chunks));
      assert.equal(entries.get("a")?.size, bytes);
      assert.equal(entries.get("b")?.size, bytes);
      assert.deepEqual(skipped.list, ["a: changed while it was read", "b: changed while it was read"]);
    });
  });

  for (const [size, files] of [
    [200_000, 50],
    [10_000, 1_000],
  ] as const) {
    it(`ends with the signal, and when nobody reads on; all is closed then: files of ${size}`, async () => {
      await inFolder(async (place) => {
        for (let index = 0; index < files; index++) {
          fs.writeFileSync(path.join(place, `f${index}`), Buffer.alloc(size));
        }
        const before = openDescriptors();
        const folder = await Folder.open(place);
        const controller = new AbortController();
        const { stream } = packTree(folder, { policy: policyOf(), signal: controller.signal });
        await assert.rejects(
          async () => {
            for await (const chunk of stream) {
              assert.ok(chunk.length > 0);
              controller.abort(new Error("enough"));
            }
          },
          { message: "enough" },
        );
        const { stream: second } = packTree(folder, {
          policy: policyOf(),
          signal: new AbortController().signal,
        });
        for await (const chunk of second) {
          assert.ok(chunk.length > 0);
          break;
        }
        folder.close();
        await until("descriptors to be closed", () => openDescriptors() <= before);
      });
    });
  }

  it("goes down 1,500 folders with few descriptors", async () => {
    await inFolder(async (place) => {
      const from = path.join(place, "from");
      const to = path.join(place, "to");
      fs.mkdirSync(to);
      const deepest = path.join(from, ...Array<string>(1_500).fill("d"));
      fs.mkdirSync(deepest, { recursive: true });
      fs.writeFileSync(path.join(deepest, "file"), "deep");
      const before = openDescriptors();
      let most = 0;
      const folder = await Folder.open(from);
      const { signal } = new AbortController();
      const { stream, skipped } = packTree(folder, { policy: policyOf(), signal });
      const chunks: Buffer[] = [];
      for await (const chunk of stream) {
        chunks.push(chunk);
        most = Math.max(most, openDescriptors() - before);
      }
      folder.close();
      assert.equal(skipped.count, 0);
      const timer = setInterval(() => {
        most = Math.max(most, openDescriptors() - before);
      }, 1);
      await unpacked(Buffer.concat(chunks), to, { keepOwner: true });
      clearInterval(timer);
      assert.ok(most < 200, `${most} descriptors`);
      assert.deepEqual(seen(to), seen(from));
    });
  });

  it("takes no memory for 20,000 files", async () => {
    await inFolder(async (place) => {
      for (let index = 0; index < 20_000; index++) fs.writeFileSync(path.join(place, `file ${index}`), "x");
      const folder = await Folder.open(place);
      const { stream, skipped } = packTree(folder, {
        policy: policyOf(),
        signal: new AbortController().signal,
      });
      const before = process.memoryUsage();
      let most = 0;
      let bytes = 0;
      for await (const chunk of stream) {
        bytes += chunk.length;
        const { heapUsed, external } = process.memoryUsage();
        most = Math.max(most, heapUsed + external - before.heapUsed - before.external);
      }
      folder.close();
      assert.equal(skipped.count, 0);
      assert.ok(bytes > 20_000 * 1_024);
      assert.ok(most < 48 * 1024 * 1024, `${most >> 20} MiB`);
    });
  });
});
