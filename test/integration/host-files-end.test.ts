import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { finished } from "node:stream/promises";
import { describe, it } from "node:test";
import type { HostError } from "../../src/host/index.ts";
import { type Client } from "../../src/host/index.ts";
import type { FakeFilesOptions } from "../support/fake-files.ts";
import { until } from "../support/until.ts";
import { LocalFolder, withFiles } from "../support/with-files.ts";
import { codeOf } from "../support/with-agent.ts";

const local = new LocalFolder();

const download = (files: Client["files"], options = {}) => files.download("/a", local.at("a"), options);

describe("a download or upload that is given up", () => {
  it("is told to the guest, and leaves nothing", async () => {
    await withFiles(
      {
        onGet: (get) => {
          get.data(Buffer.alloc(1_000));
        },
      },
      async (files, guest) => {
        const ending = new AbortController();
        const coming = download(files, { signal: ending.signal });
        await until("the download", () => guest.downloads[0]);
        ending.abort();
        assert.equal(await codeOf(coming), "aborted");
        const { messageId } = await guest.got("cancel");
        assert.equal(messageId, guest.downloads[0]?.messageId);
        assert.deepEqual(readdirSync(local.path), []);
      },
    );
  });

  it("fails at once when the connection goes, also a stream that nobody reads", async () => {
    await withFiles({ onGet: () => undefined }, async (files, guest, agent) => {
      const coming = codeOf(download(files));
      const unread = files.readStream("/a");
      const failed = finished(unread).catch((error: unknown) => error);
      unread.once("readable", () => undefined);
      await until("both", () => guest.downloads.length === 2);
      agent.dropClients();
      assert.equal(await coming, "connection-lost");
      assert.equal(((await failed) as HostError).code, "connection-lost");
    });
  });

  it("a reader that is slow is sent no more than the window", async () => {
    await withFiles({}, async (files, guest) => {
      const stream = files.readStream("/a", { windowBytes: 100_000 });
      await once(stream, "readable");
      const get = guest.downloads[0];
      assert.equal(get?.sentBytes, 100_000);
      let bytes = 0;
      for await (const piece of stream) bytes += (piece as Buffer).length;
      assert.equal(bytes, 1_000_000);
      assert.ok(get.largestWindowBytes <= 100_000);
    });
  });
});

describe("a download with resume", () => {
  it("goes on where it was, if the file is the same", async () => {
    let cut = true;
    const onGet: FakeFilesOptions["onGet"] = (get) => {
      if (cut) get.data(Buffer.alloc(200_000, "abc"));
    };
    await withFiles({ onGet }, async (files, guest) => {
      const ending = new AbortController();
      const coming = download(files, {
        resume: true,
        signal: ending.signal,
        onProgress: () => {
          ending.abort();
        },
      });
      assert.equal(await codeOf(coming), "aborted");
      assert.deepEqual(readdirSync(local.path).sort(), [".a.limiquantix-part", ".a.limiquantix-part.json"]);
      cut = false;

      const again = download(files, { resume: true });
      const get = await until("the second", () => guest.downloads[1]);
      get.sendAll(Buffer.alloc(1_000_000, "abc").subarray(200_000));
      const { bytes, resumedAt } = await again;
      assert.deepEqual([bytes, resumedAt], [1_000_000, 200_000]);
      assert.equal(guest.all("fileGet")[1]?.version, "1000000-1700000000");
      assert.ok(readFileSync(local.at("a")).equals(Buffer.alloc(1_000_000, "abc")));
      assert.deepEqual(readdirSync(local.path), ["a"]);
      assert.equal(statSync(local.at("a")).mode & 0o7777, 0o644);
      assert.equal(statSync(local.at("a")).mtimeMs, 1_700_000_000_500);
    });
  });
});
