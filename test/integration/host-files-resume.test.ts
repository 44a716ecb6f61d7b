import assert from "node:assert/strict";
import {
  appendFileSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { type Guest, agentCodeOf, withGuest } from "../support/guest-files.ts";
import { until } from "../support/until.ts";
import { LocalFolder, pattern } from "../support/with-files.ts";
import { codeOf } from "../support/with-agent.ts";

const local = new LocalFolder();

describe("a download with resume", () => {
  /** Ends a download in the middle. */
  async function begin({ files, at }: Guest): Promise<void> {
    const ending = new AbortController();
    const coming = files.download(at("a"), local.at("a"), {
      resume: true,
      signal: ending.signal,
      onProgress: ({ bytes }) => {
        if (bytes > 1_000_000) ending.abort();
      },
    });
    assert.equal(await codeOf(coming), "aborted");
  }

  it("goes on where it was, also with a checksum, and also when all has come", async () => {
    await withGuest(async (guest) => {
      const { files, at } = guest;
      writeFileSync(at("a"), pattern(50_000_000));
      await begin(guest);
      const { resumedAt } = await files.download(at("a"), local.at("a"), { resume: true, checksum: true });
      assert.ok(resumedAt >= 1_000_000, String(resumedAt));
      assert.ok(readFileSync(local.at("a")).equals(pattern(50_000_000)));
      assert.deepEqual(readdirSync(local.path), ["a"]);
    });
  });

  it("begins anew when the file has changed, or the record of it is gone", async () => {
    await withGuest(async (guest) => {
      const { files, at } = guest;
      writeFileSync(at("a"), pattern(50_000_000));
      await begin(guest);
      writeFileSync(at("a"), pattern(40_000_000).reverse());
      const second = await files.download(at("a"), local.at("a"), { resume: true });
      assert.deepEqual([second.resumedAt, second.bytes], [0, 40_000_000]);
      assert.ok(readFileSync(local.at("a")).equals(pattern(40_000_000).reverse()));

      await begin(guest);
      writeFileSync(local.at(".a.limiquantix-part.json"), "{");
      assert.equal((await files.download(at("a"), local.at("a"), { resume: true })).resumedAt, 0);
      assert.deepEqual(readdirSync(local.path), ["a"]);
    });
  });

  it("finds out by the checksum that what is here is not what came", async () => {
    await withGuest(async (guest) => {
      const { files, at } = guest;
      writeFileSync(at("a"), pattern(50_000_000));
      await begin(guest);
      const part = local.at(".a.limiquantix-part");
      const bytes = readFileSync(part);
      bytes[5] = (bytes[5] ?? 0) ^ 1;
      writeFileSync(part, bytes);
      const options = { resume: true, checksum: true };
      assert.equal(await agentCodeOf(files.download(at("a"), local.at("a"), options)), "QXGA-4021");
      assert.equal((await files.download(at("a"), local.at("a"), options)).resumedAt, 0);
      assert.ok(readFileSync(local.at("a")).equals(pattern(50_000_000)));
    });
  });

  it("goes where a link leads, and not in place of what is no file", async () => {
    await withGuest(async ({ files, at }) => {
      await files.writeFile(at("a"), "new");
      writeFileSync(local.at("real"), "old");
      symlinkSync("real", local.at("link"));
      await files.download(at("a"), local.at("link"));
      assert.equal(readFileSync(local.at("real"), "utf8"), "new");
      for (const place of ["/dev/null", local.path]) {
        assert.equal(await codeOf(files.download(at("a"), place)), "local-file");
      }
      assert.equal(await codeOf(files.download(at("a"), local.at("none/a"))), "local-file");
      assert.ok(statSync("/dev/null").isCharacterDevice());
    });
  });
});

describe("an upload with resume", () => {
  /** Ends an upload in the middle. */
  async function begin({ files, at }: Guest): Promise<void> {
    const ending = new AbortController();
    const going = files.upload(local.at("a"), at("a"), {
      resume: true,
      signal: ending.signal,
      onProgress: ({ bytes }) => {
        if (bytes > 10_000_000) ending.abort();
      },
    });
    assert.equal(await codeOf(going), "aborted");
  }

  it("goes on where it was, also in another client, and begins anew when the file has changed", async () => {
    await withGuest(async (guest) => {
      const { at, client, daemon } = guest;
      writeFileSync(local.at("a"), pattern(50_000_000));
      await begin(guest);
      await client.close();
      await using other = await connect({ socket: daemon.socket });
      const options = { resume: true, checksum: true };
      const { resumedAt } = await other.files.upload(local.at("a"), at("a"), options);
      assert.ok(resumedAt > 0, String(resumedAt));
      assert.ok(readFileSync(at("a")).equals(pattern(50_000_000)));

      await begin({ ...guest, files: other.files });
      utimesSync(local.at("a"), 1, 1);
      assert.equal((await other.files.upload(local.at("a"), at("a"), options)).resumedAt, 0);
    });
  });

  it("tells of a file that changes while it is sent, and replaces nothing", async () => {
    await withGuest(async ({ files, at, names }) => {
      for (const change of [
        () => {
          appendFileSync(local.at("a"), "x");
        },
        () => {
          truncateSync(local.at("a"), 5_000_000);
        },
      ]) {
        writeFileSync(local.at("a"), pattern(50_000_000));
        let changed = false;
        const onProgress = (): void => {
          if (!changed) change();
          changed = true;
        };
        assert.equal(await codeOf(files.upload(local.at("a"), at("a"), { onProgress })), "local-file");
        await until("it is cleaned up", () => names().length === 0);
      }
    });
  });

  it("takes only regular files", async () => {
    await withGuest(async ({ files, at }) => {
      for (const place of ["/dev/zero", local.path, local.at("none")]) {
        assert.equal(await codeOf(files.upload(place, at("a"))), "local-file");
      }
    });
  });
});
