import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type FileChanges, HostError } from "../../src/host/index.ts";
import type { FakeFilesOptions } from "../support/fake-files.ts";
import { allOf } from "../support/all-of.ts";
import { until } from "../support/until.ts";
import { withFiles } from "../support/with-files.ts";
import { codeOf } from "../support/with-agent.ts";

describe("operations that are one request", () => {
  it("ask for what the caller says", async () => {
    const answer: NonNullable<FakeFilesOptions["answer"]> = (message) => {
      if (message.fileRename) return { fileRenameResponse: { success: true } };
      if (message.createSymlink) return { createSymlinkResponse: { success: true } };
      if (message.fileSetAttributes) return { fileSetAttributesResponse: { success: true } };
      if (message.fileDelete) return { fileDeleteResponse: { success: true } };
      if (message.fileCopy) return { fileCopyResponse: { success: true, bytes: 12 } };
      return undefined;
    };
    await withFiles({ answer }, async (files, guest) => {
      await files.rename("/a", "/b", { replace: false });
      await files.symlink("target", "/l", { replace: true });
      await files.setAttributes("/a", { mode: 0o4755, owner: 0, modifiedAt: new Date(-1), follow: false });
      await files.remove("/a", { recursive: true });
      await files.mkdir("/d", { recursive: true, mode: 0o700 });
      assert.deepEqual(await files.copy("/a", "/b", { createParents: true }), { bytes: 12 });

      const { from, to, noReplace } = await guest.got("fileRename");
      assert.deepEqual([from, to, noReplace], ["/a", "/b", true]);
      const { path, target, replace } = await guest.got("createSymlink");
      assert.deepEqual([path, target, replace], ["/l", "target", true]);
      const set = await guest.got("fileSetAttributes");
      assert.deepEqual([set.mode, set.owner, set.group, set.noFollow], [0o4755, "0", "", true]);
      assert.deepEqual([Number(set.modifiedAt?.seconds), set.modifiedAt?.nanos], [-1, 999_000_000]);
      assert.equal((await guest.got("fileDelete")).recursive, true);
      const made = await guest.got("createDirectory");
      assert.deepEqual([made.createParents, made.mode], [true, 0o700]);
      const copied = await guest.got("fileCopy");
      assert.deepEqual([copied.noReplace, copied.createParents], [false, true]);
      await assert.rejects(files.mkdir("/d", { mode: 0o10000 }), RangeError);
    });
  });

  it("list a folder page by page, and leave out what is hidden if that is wanted", async () => {
    await withFiles({ pageEntries: 2 }, async (files, guest) => {
      for (const name of ["/.h", "/b", "/c", "/d"]) guest.files.set(name, Buffer.alloc(3));
      const names = async (hidden?: boolean) =>
        (await allOf(files.list("/", { hidden }))).map(({ name }) => name);
      assert.deepEqual(await names(), [".h", "a", "b", "c", "d"]);
      assert.deepEqual(await names(false), ["a", "b", "c", "d"]);
      assert.equal(guest.all("listDirectory").length, 3 + 2);
    });
  });

  it("tell times, and survive those that cannot be", async () => {
    const answer: NonNullable<FakeFilesOptions["answer"]> = ({ fileStat }) =>
      fileStat
        ? {
            fileStatResponse: {
              success: true,
              entry: {
                name: "a",
                modifiedAt: { seconds: 1e15 },
                changedAt: { seconds: 5, nanos: 2e6 },
              },
            },
          }
        : undefined;
    await withFiles({ answer }, async (files) => {
      const { modifiedAt, changedAt, createdAt, kind } = await files.stat("/a");
      assert.deepEqual(
        [modifiedAt.getTime(), changedAt.getTime(), createdAt, kind],
        [0, 5_002, null, "file"],
      );
    });
  });
});

describe("a watch", () => {
  const answer: NonNullable<FakeFilesOptions["answer"]> = ({ fileWatch }) =>
    fileWatch ? { fileWatchResponse: { success: true, watchId: "w" } } : undefined;

  it("tells what changes until its signal ends it, and the guest is told", async () => {
    await withFiles({ answer }, async (files, guest, agent) => {
      const ending = new AbortController();
      const seen: FileChanges[] = [];
      const watching = (async () => {
        for await (const changes of files.watch("/", { signal: ending.signal })) seen.push(changes);
      })();
      await guest.got("fileWatch");
      agent.send({ fileChanged: { watchId: "other", changes: [{ name: "no" }] } });
      agent.send({ fileChanged: { watchId: "w", changes: [{ name: "a", renamed: true }] } });
      await until("the change", () => seen.length === 1);
      agent.send({ fileChanged: { watchId: "w", overflow: true } });
      await until("the overflow", () => seen.length === 2);
      ending.abort();
      await watching;
      assert.deepEqual(seen, [
        { changes: [{ name: "a", renamed: true }], overflow: false },
        { changes: [], overflow: true },
      ]);
      const begun = guest.received.find(({ fileWatch }) => fileWatch);
      assert.equal((await guest.got("cancel")).messageId, begun?.messageId);
    });
  });

  it("fails as the guest says, and when the connection goes", async () => {
    await withFiles({ answer }, async (files, guest, agent) => {
      const first = allOf(files.watch("/"));
      await guest.got("fileWatch");
      agent.send({ fileChanged: { watchId: "w", error: "QXGA-4001 it has gone" } });
      await assert.rejects(first, (error) => error instanceof HostError && error.agentCode === "QXGA-4001");
      const second = codeOf(allOf(files.watch("/")));
      await until("the second", () => guest.all("fileWatch").length === 2);
      agent.dropClients();
      assert.equal(await second, "connection-lost");
    });
  });

  it("keeps no more than it must for a reader who is slow", async () => {
    await withFiles({ answer }, async (files, guest, agent) => {
      const watching = files.watch("/");
      const first = watching.next();
      await guest.got("fileWatch");
      agent.send({ fileChanged: { watchId: "w", changes: [{ name: "first" }] } });
      await first;
      const changes = Array.from({ length: 900 }, (_, index) => ({ name: `f${index}` }));
      for (let i = 0; i < 20; i++) agent.send({ fileChanged: { watchId: "w", changes } });
      await files.stat("/a"); // all has come
      const { value } = await watching.next();
      assert.ok(value);
      assert.ok(value.changes.length <= 10_000 && value.overflow);
      await watching.return();
    });
  });
});
