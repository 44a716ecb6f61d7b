import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { FakeFiles, type FakeFilesOptions } from "../support/fake-files.ts";
import { codeOf, withAgent } from "../support/with-agent.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "files-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `body` with a client of an agent that has no streams; without sessions too unless `sessions`. */
async function withOldAgent(
  { sessions = false, ...options }: FakeFilesOptions & { sessions?: boolean },
  body: (files: Client["files"], guest: FakeFiles) => Promise<void>,
): Promise<void> {
  const guest = new FakeFiles({ streams: false, ...options });
  await withAgent({ guest, sessions }, async (socket) => {
    await using client = await connect({ socket });
    await body(client.files, guest);
  });
}

function pattern(bytes: number): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761);
  return Buffer.from(words.buffer, 0, bytes);
}

describe("files of agents without transfers", () => {
  for (const bytes of [0, 1, 65_536, 65_537, 1_500_003]) {
    it(`reads and writes ${bytes} bytes, whatever the order of answers`, async () => {
      await withOldAgent({ answersBackwards: true }, async (files, guest) => {
        const data = pattern(bytes);
        const info = await files.writeFile("/a", data);
        assert.equal(info.sizeBytes, bytes);
        assert.deepEqual(guest.files.get("/a"), data);
        assert.deepEqual(await files.readFile("/a"), data);
        assert.deepEqual(await buffer(files.readStream("/a")), data);
        assert.ok(guest.mostPiecesAtOnce <= 8, String(guest.mostPiecesAtOnce));
      });
    });
  }

  it("asks for more at a time of an agent with sessions", async () => {
    await withOldAgent({ sessions: true, answersBackwards: true }, async (files, guest) => {
      guest.files.set("/a", pattern(3_000_000));
      assert.deepEqual(await files.readFile("/a"), pattern(3_000_000));
      assert.equal(guest.mostPiecesAtOnce, 16);
    });
  });

  it("has the first piece answered before it sends others, and says which is the last", async () => {
    await withOldAgent({}, async (files, guest) => {
      await pipeline(
        Readable.from([pattern(100_000), pattern(100_000)]),
        files.writeStream("/a", { mode: 0o600 }),
      );
      const writes = guest.all("fileWrite");
      assert.deepEqual(
        writes.map(({ offset, eof, mode }) => [Number(offset), eof, mode]),
        [0, 65_536, 131_072, 196_608].map((offset) => [offset, offset === 196_608, 0o600]),
      );
    });
  });

  it("reads files that do not tell their size, and parts of files", async () => {
    const text = Buffer.from("MemTotal: 1\n");
    const read = (request: { offset?: unknown } | null | undefined) => Number(request?.offset ?? 0);
    await withOldAgent(
      {
        answer: ({ fileStat, fileRead }) => {
          if (fileStat)
            return { fileStatResponse: { success: true, entry: { name: "meminfo", path: "/m" } } };
          if (!fileRead) return undefined;
          const most = Math.min(5, Number(fileRead.length));
          const data = text.subarray(read(fileRead), read(fileRead) + most);
          return { fileReadResponse: { success: true, data, eof: data.length === 0 } };
        },
      },
      async (files) => {
        assert.deepEqual(await files.readFile("/m"), text);
        assert.equal(await files.readFile("/m", { offset: 3, length: 4, encoding: "latin1" }), "Tota");
      },
    );
  });

  it("follows links itself, and gives up when they lead round", async () => {
    await withOldAgent({}, async (files, guest) => {
      guest.files.set("/x/a", Buffer.from("1"));
      guest.links.set("/x/b", "a");
      guest.links.set("/round", "/round");
      assert.equal((await files.stat("/x/b")).kind, "file");
      assert.equal((await files.stat("/x/b", { follow: false })).kind, "symlink");
      assert.equal(await codeOf(files.stat("/round")), "agent-error");
    });
  });

  it("downloads and uploads, and tells of a file that changes meanwhile", async () => {
    await withOldAgent({}, async (files, guest) => {
      guest.files.set("/a", pattern(1_000_000));
      const local = path.join(folder, "a");
      const { bytes } = await files.download("/a", local);
      assert.equal(bytes, 1_000_000);
      assert.deepEqual(readFileSync(local), pattern(1_000_000));
      assert.equal(statSync(local).mode & 0o7777, 0o644);
      await files.upload(local, "/b");
      assert.deepEqual(guest.files.get("/b"), pattern(1_000_000));

      const changing = files.download("/a", local, {
        onProgress: () => {
          guest.modifiedAt++;
        },
      });
      assert.equal(await codeOf(changing), "agent-error");
      assert.deepEqual(readdirSync(folder), ["a"]);
    });
  });

  it("goes on with a download, if the file has the same size and time", async () => {
    await withOldAgent({}, async (files, guest) => {
      guest.files.set("/a", pattern(5_000_000));
      const begin = async (): Promise<void> => {
        const ending = new AbortController();
        const onProgress = (): void => {
          ending.abort();
        };
        const coming = files.download("/a", path.join(folder, "a"), {
          resume: true,
          signal: ending.signal,
          onProgress,
        });
        assert.equal(await codeOf(coming), "aborted");
      };
      await begin();
      const { resumedAt } = await files.download("/a", path.join(folder, "a"), { resume: true });
      assert.ok(resumedAt > 0);
      assert.deepEqual(readFileSync(path.join(folder, "a")), pattern(5_000_000));
      await begin();
      guest.modifiedAt++;
      assert.equal((await files.download("/a", path.join(folder, "a"), { resume: true })).resumedAt, 0);
      assert.deepEqual(readdirSync(folder), ["a"]);
    });
  });

  it("says what these agents cannot do", async () => {
    await withOldAgent({}, async (files) => {
      const refused = [
        files.rename("/a", "/b"),
        files.symlink("/a", "/b"),
        files.copy("/a", "/b"),
        files.setAttributes("/a", { mode: 0o600 }),
        files.watch("/a").next(),
        files.writeFile("/a", "x", { owner: "root" }),
        files.writeFile("/a", "x", { exclusive: true }),
        files.download("/a", path.join(folder, "a"), { checksum: true }),
      ];
      for (const each of refused) assert.equal(await codeOf(each), "not-supported");
      assert.deepEqual(readdirSync(folder), []);
    });
  });

  it("copies trees file by file, both ways", async () => {
    await withOldAgent({ pageEntries: 2 }, async (files, guest) => {
      for (const name of ["/t", "/t/.hidden", "/t/empty"]) guest.folders.add(name);
      for (const name of ["/t/a", "/t/b", "/t/.hidden/c"]) guest.files.set(name, Buffer.from(name));
      guest.links.set("/t/link", "/etc/shadow");
      const local = path.join(folder, "t");
      const down = await files.downloadTree("/t", local);
      assert.deepEqual(
        { ...down, skipped: [] },
        { files: 3, folders: 3, links: 1, bytes: 20, skipped: [], skippedCount: 0 },
      );
      assert.equal(readFileSync(path.join(local, ".hidden/c"), "utf8"), "/t/.hidden/c");
      assert.equal(readlinkSync(path.join(local, "link")), "/etc/shadow");

      const up = await files.uploadTree(local, "/u");
      assert.deepEqual(up, {
        entries: 5,
        bytes: 20,
        skipped: ["link: this agent makes no links"],
        skippedCount: 1,
      });
      assert.equal(guest.files.get("/u/.hidden/c")?.toString(), "/t/.hidden/c");
      assert.ok(guest.folders.has("/u/empty"));
    });
  });

  it("ends when its signal says so", async () => {
    const answer: FakeFilesOptions["answer"] = ({ fileRead }) => (fileRead ? "none" : undefined);
    await withOldAgent({ answer }, async (files, guest) => {
      guest.files.set("/a", pattern(1_000_000));
      const ending = new AbortController();
      const reading = files.readFile("/a", { signal: ending.signal });
      await guest.got("fileRead");
      ending.abort();
      assert.equal(await codeOf(reading), "aborted");
    });
  });

  it("does not follow a link of this host into which a tree would go", async () => {
    await withOldAgent({}, async (files, guest) => {
      guest.folders.add("/t").add("/t/sub");
      guest.files.set("/t/sub/a", Buffer.from("1"));
      mkdirSync(path.join(folder, "t"));
      mkdirSync(path.join(folder, "outside"));
      symlinkSync("../outside", path.join(folder, "t/sub"));
      writeFileSync(path.join(folder, "outside/a"), "mine");
      assert.equal(await codeOf(files.downloadTree("/t", path.join(folder, "t"))), "local-file");
      assert.equal(readFileSync(path.join(folder, "outside/a"), "utf8"), "mine");
    });
  });
});
