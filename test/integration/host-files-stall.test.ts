import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { type Client, HostError } from "../../src/host/index.ts";
import type { FakeFilesOptions } from "../support/fake-files.ts";
import { LocalFolder, withFiles } from "../support/with-files.ts";
import { codeOf } from "../support/with-agent.ts";

const local = new LocalFolder();

const options = { stallTimeoutSeconds: 0.1 };

describe("an agent that says nothing any more", () => {
  const downloads: Record<string, (files: Client["files"]) => Promise<unknown>> = {
    "a download": (files) => files.download("/a", local.at("a"), options),
    "the download of a tree": (files) => files.downloadTree("/a", local.at("a"), options),
  };
  for (const [what, begin] of Object.entries(downloads)) {
    it(`does not hold ${what} for longer than the caller allows`, async () => {
      const onGet: FakeFilesOptions["onGet"] = (get) => {
        get.data(Buffer.alloc(100));
      };
      await withFiles({ onGet }, async (files, guest) => {
        await assert.rejects(
          begin(files),
          (error) => error instanceof HostError && error.code === "timed-out",
        );
        await guest.got("cancel");
        assert.deepEqual(
          readdirSync(local.path, { recursive: true })
            .map(String)
            .filter((name) => name !== "a"),
          [],
        );
      });
    });
  }

  const uploads: Record<string, (files: Client["files"]) => Promise<unknown>> = {
    "an upload": (files) => files.upload(local.at("s/file"), "/b", options),
    "the upload of a tree": (files) => files.uploadTree(local.at("s"), "/b", options),
  };
  for (const [what, begin] of Object.entries(uploads)) {
    it(`does not hold ${what} for longer than the caller allows`, async () => {
      // Without credit, and at the end.
      const silences: FakeFilesOptions[] = [
        { windowBytes: 1_000, answer: (message) => (message.streamData ? "none" : undefined) },
        { answer: (message) => (message.transferCommit ? "none" : undefined) },
      ];
      for (const silence of silences) {
        mkdirSync(local.at("s"), { recursive: true });
        writeFileSync(local.at("s/file"), Buffer.alloc(5_000));
        await withFiles(silence, async (files, guest) => {
          assert.equal(await codeOf(begin(files)), "timed-out");
          await guest.got("cancel");
        });
      }
    });
  }
});
