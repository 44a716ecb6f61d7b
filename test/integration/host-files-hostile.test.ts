import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { finished } from "node:stream/promises";
import { describe, it } from "node:test";
import { type Client, HostError } from "../../src/host/index.ts";
import { allOf } from "../support/all-of.ts";
import type { FakeFilesOptions } from "../support/fake-files.ts";
import { until } from "../support/until.ts";
import { LocalFolder, withFiles } from "../support/with-files.ts";
import { codeOf } from "../support/with-agent.ts";

const local = new LocalFolder();

const download = (files: Client["files"], options = {}) => files.download("/a", local.at("a"), options);

describe("an agent that breaks the rules of a download", () => {
  const cases: Record<string, FakeFilesOptions["onGet"]> = {
    "sends more than it has credit for": (get) => {
      for (let i = 0; i < 100; i++) get.data(Buffer.alloc(65_280));
    },
    "sends on another channel": (get) => {
      get.data(Buffer.from("x"), 2);
    },
    "gives credit for what it sends": (get) => {
      get.raw({ streamCredit: { streamId: get.streamId, channel: 1, bytes: 5 } });
    },
    "tells another number of bytes": (get) => {
      get.data(Buffer.alloc(1_000));
      get.end({ bytes: 1_001 });
    },
    "sends less than the file has": (get) => {
      get.data(Buffer.alloc(1_000));
      get.end();
    },
    "sends to another stream": (get) => {
      get.raw({ streamData: { streamId: "other", channel: 1, data: Buffer.alloc(10) } });
      get.sentBytes = 10;
      get.end();
    },
    "fails in the middle": (get) => {
      get.data(Buffer.alloc(1_000));
      get.end({ error: "QXGA-4020 /a has changed" });
    },
  };
  for (const [what, onGet] of Object.entries(cases)) {
    it(what, async () => {
      await withFiles({ ...(onGet && { onGet }) }, async (files) => {
        assert.equal(await codeOf(download(files)), "agent-error");
        assert.deepEqual(readdirSync(local.path), []);
      });
    });
  }

  it("ends twice, and goes on sending: nobody listens any more", async () => {
    const onGet: FakeFilesOptions["onGet"] = (get) => {
      get.data(Buffer.alloc(100_000, "abc"));
      get.end();
      get.end({ error: "QXGA-9003 no" });
      get.data(Buffer.alloc(100));
    };
    await withFiles({ onGet }, async (files, guest) => {
      guest.files.set("/a", Buffer.alloc(100_000));
      assert.equal((await download(files)).bytes, 100_000);
    });
  });

  for (const streamId of ["", "x".repeat(65), "schön", "get-1"]) {
    it(`begins a second stream with the id ${JSON.stringify(streamId.slice(0, 10))}`, async () => {
      const answer: FakeFilesOptions["answer"] = ({ fileGet }) =>
        fileGet?.path === "/b"
          ? { fileGetResponse: { success: true, streamId, entry: { name: "b", path: "/b" } } }
          : undefined;
      await withFiles({ answer, onGet: () => undefined }, async (files, guest) => {
        const first = files.readStream("/a").on("error", () => undefined);
        first.resume();
        await guest.got("fileGet");
        await until("the first stream", () => guest.downloads.length === 1);
        assert.equal(await codeOf(files.readFile("/b")), "agent-error");
        await guest.got("cancel");
        first.destroy();
      });
    });
  }

  it("sends without end: no more is kept than the caller allows", async () => {
    const onGet: FakeFilesOptions["onGet"] = (get) => {
      get.sendAll(Buffer.alloc(4_000_000));
    };
    await withFiles({ onGet }, async (files) => {
      assert.equal(await codeOf(files.readFile("/a", { maxBytes: 2_000_000 })), "too-large");
      assert.equal(await codeOf(download(files, { maxBytes: 2_000_000 })), "too-large");
      assert.deepEqual(readdirSync(local.path), []);
    });
  });

  it("has another checksum: nothing of it is kept", async () => {
    const answer: FakeFilesOptions["answer"] = () => undefined;
    const onGet: FakeFilesOptions["onGet"] = (get) => {
      get.data(Buffer.alloc(1_000));
      get.end({ sha256: Buffer.alloc(32, 1) });
    };
    await withFiles({ answer, onGet }, async (files, guest) => {
      guest.files.set("/a", Buffer.alloc(1_000));
      await assert.rejects(
        download(files, { checksum: true, resume: true }),
        (error) => error instanceof HostError && error.agentCode === "QXGA-4021",
      );
      assert.deepEqual(readdirSync(local.path), []);
    });
  });

  it("says that a folder has entries that cannot be", async () => {
    for (const name of ["../x", "a/b", "", "..", "a\0b"]) {
      const answer: FakeFilesOptions["answer"] = ({ listDirectory }) =>
        listDirectory ? { listDirectoryResponse: { success: true, entries: [{ name }] } } : undefined;
      await withFiles({ answer }, async (files) => {
        assert.equal(await codeOf(allOf(files.list("/"))), "agent-error");
      });
    }
  });

  it("says that there is always more to a folder", async () => {
    const answer: FakeFilesOptions["answer"] = ({ listDirectory }) =>
      listDirectory ? { listDirectoryResponse: { success: true, continuationToken: "1" } } : undefined;
    await withFiles({ answer }, async (files) => {
      assert.equal(await codeOf(allOf(files.list("/"))), "agent-error");
    });
  });
});

describe("an agent that breaks the rules of an upload", () => {
  it("says that it has more than there is, or has something of what is new", async () => {
    await withFiles({ receivedBytes: 5_000_000 }, async (files, guest) => {
      const file = local.at("a");
      writeFileSync(file, "abc");
      assert.equal(await codeOf(files.upload(file, "/b", { resume: true })), "agent-error");
      assert.equal(await codeOf(files.upload(file, "/b")), "agent-error");
      assert.equal(await codeOf(files.writeFile("/b", "abc")), "agent-error");
      await until("all are given up", () => guest.all("cancel").length === 3);
      assert.equal(guest.files.has("/b"), false);
    });
  });

  it("ends it in the middle: who writes is told at once, also while it waits", async () => {
    await withFiles({ windowBytes: 1_000 }, async (files, guest) => {
      const writing = files.writeFile("/b", Buffer.alloc(100_000));
      const upload = await until("the upload", () => guest.uploads[0]);
      upload.reads = false;
      upload.raw({ transferEnded: { streamId: upload.streamId, error: "QXGA-4010 the disk is full" } });
      await assert.rejects(writing, (error) => error instanceof HostError && error.agentCode === "QXGA-4010");

      const idle = files.writeStream("/c");
      const failed = finished(idle).catch((error: unknown) => error);
      const second = await until("the upload", () => guest.uploads[1]);
      second.raw({ transferEnded: { streamId: second.streamId } });
      assert.equal(((await failed) as HostError).code, "agent-error");
    });
  });

  it("gives small windows: no more is sent, and all of it comes", async () => {
    for (const windowBytes of [1, 1_000, 70_000, 200_000]) {
      await withFiles({ windowBytes }, async (files, guest) => {
        const data = Buffer.alloc(windowBytes === 1 ? 500 : 300_000, "0123456789");
        const file = local.at("a");
        writeFileSync(file, data);
        await files.upload(file, "/b");
        await files.writeFile("/c", data);
        assert.ok(guest.files.get("/b")?.equals(data));
        // After garbage an agent takes only what has its session's id.
        const sessionId = guest.received[0]?.messageId.split("/")[0] ?? "";
        assert.ok(guest.received.every(({ messageId }) => messageId.startsWith(`${sessionId}/`)));
        assert.ok(guest.files.get("/c")?.equals(data));
        assert.deepEqual(
          guest.uploads.map(({ excessBytes }) => excessBytes),
          [0, 0],
        );
        assert.ok(guest.uploads.every(({ largestPieceBytes }) => largestPieceBytes <= 65_280));
      });
    }
  });
});
