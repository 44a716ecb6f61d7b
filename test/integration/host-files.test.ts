import assert from "node:assert/strict";
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import { describe, it } from "node:test";
import { agentCodeOf, withGuest } from "../support/guest-files.ts";
import { until } from "../support/until.ts";
import { LocalFolder, pattern } from "../support/with-files.ts";
import { codeOf } from "../support/with-agent.ts";

const local = new LocalFolder();

describe("files of a guest", () => {
  for (const bytes of [0, 1, 65_280, 65_281, 5_000_000]) {
    it(`come and go whole: ${bytes} bytes`, async () => {
      await withGuest(async ({ files, at }) => {
        const data = pattern(bytes);
        const modifiedAt = new Date(1_600_000_000_123);
        const info = await files.writeFile(at("a"), data, { mode: 0o640, modifiedAt });
        assert.deepEqual(
          [info.kind, info.sizeBytes, info.mode, info.modifiedAt],
          ["file", bytes, 0o640, modifiedAt],
        );
        assert.deepEqual(readFileSync(at("a")), data);
        assert.deepEqual(await files.readFile(at("a")), data);
        assert.deepEqual(await buffer(files.readStream(at("a"))), data);
        await pipeline(
          Readable.from([data.subarray(0, 100_000), data.subarray(100_000)]),
          files.writeStream(at("b")),
        );
        assert.deepEqual(readFileSync(at("b")), data);

        const down = await files.download(at("a"), local.at("a"), { checksum: true });
        assert.deepEqual([down.bytes, down.resumedAt], [bytes, 0]);
        const facts = statSync(local.at("a"));
        assert.deepEqual([facts.mode & 0o7777, Math.round(facts.mtimeMs)], [0o640, modifiedAt.getTime()]);
        const up = await files.upload(local.at("a"), at("c"), { checksum: true });
        assert.deepEqual([up.bytes, up.sha256], [bytes, down.sha256]);
        assert.deepEqual(readFileSync(at("c")), data);
      });
    });
  }

  it("are read in parts, as text, as they are now, and not beyond a limit", async () => {
    await withGuest(async ({ files, at }) => {
      const { version } = await files.writeFile(at("a"), "0123456789");
      assert.equal(await files.readFile(at("a"), { encoding: "utf8", offset: 2, length: 3 }), "234");
      assert.equal(await codeOf(files.readFile(at("a"), { maxBytes: 9 })), "too-large");
      assert.match(await files.readFile("/proc/self/status", { encoding: "utf8" }), /^Name:/);
      const stream = () => files.readStream(at("a"), { version });
      assert.equal((await buffer(stream())).toString(), "0123456789");
      appendFileSync(at("a"), "x");
      assert.equal(await agentCodeOf(buffer(stream())), "QXGA-4020");
      assert.equal(await agentCodeOf(files.readFile(at("none"))), "QXGA-4001");
    });
  });

  it("are replaced only on the caller's terms", async () => {
    await withGuest(async ({ files, at, names }) => {
      const { version } = await files.writeFile(at("a"), "1");
      assert.equal(await agentCodeOf(files.writeFile(at("a"), "2", { exclusive: true })), "QXGA-4003");
      await files.writeFile(at("a"), "3", { version });
      assert.equal(await agentCodeOf(files.writeFile(at("a"), "4", { version })), "QXGA-4020");
      assert.equal(await agentCodeOf(files.writeFile(at("x/y"), "5")), "QXGA-4001");
      assert.equal(readFileSync(at("a"), "utf8"), "3");
      assert.deepEqual(names(), ["a"]);
    });
  });

  it("stay as they are when a stream is destroyed, or its signal says so", async () => {
    await withGuest(async ({ files, at, names }) => {
      await files.writeFile(at("a"), "before");
      const destroyed = files.writeStream(at("a"));
      await new Promise((resolve) => destroyed.write(Buffer.alloc(500_000), resolve));
      destroyed.destroy();
      const ending = new AbortController();
      const aborted = files.writeStream(at("a"), { signal: ending.signal });
      await new Promise((resolve) => aborted.write(Buffer.alloc(500_000), resolve));
      const failed = finished(aborted);
      ending.abort();
      assert.equal(await codeOf(failed), "aborted");
      await until("both are cleaned up", () => names().length === 1);
      assert.equal(readFileSync(at("a"), "utf8"), "before");
    });
  });

  it("leave room for a ping, however much is read or written", async () => {
    await withGuest(async ({ files, client, at }) => {
      const data = pattern(100_000_000);
      writeFileSync(at("a"), data);
      const work = Promise.all([files.download(at("a"), local.at("a")), files.upload(at("a"), at("b"))]);
      let pings = 0;
      const pinging = (async () => {
        for (; pings < 3; pings++) await client.ping({ timeoutSeconds: 5 });
      })();
      await Promise.all([work, pinging]);
      assert.ok(readFileSync(local.at("a")).equals(data));
      assert.ok(readFileSync(at("b")).equals(data));
    });
  });
});
