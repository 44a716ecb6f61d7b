import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Client } from "../../src/host/index.ts";
import { agentCodeOf } from "../support/guest-files.ts";
import { until } from "../support/until.ts";
import { WindowsGuest } from "../support/windows/guest.ts";
import { LocalFolder, pattern } from "../support/with-files.ts";
import { codeOf } from "../support/with-agent.ts";

const local = new LocalFolder();
const large = 64 * 1024 * 1024;

describe("transfers to and from a Windows guest", () => {
  let agent: WindowsGuest;
  let client: Client;
  let files: Client["files"];
  let test = 0;
  let folder = "";
  let here = "";
  const at = (...names: string[]): string => path.win32.join(folder, ...names);
  const inHere = (...names: string[]): string => path.join(here, ...names);

  before(async () => {
    agent = await WindowsGuest.start();
    client = await agent.connect();
    ({ files } = client);
  });
  after(async () => {
    await client.close();
    await agent[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    folder = `C:\\test ${++test}`;
    await files.mkdir(folder);
    here = path.join(agent.wine.driveC, `test ${test}`);
  });

  it("take 64 MiB both ways, to the last byte", async (t) => {
    const data = pattern(large);
    const sha256 = createHash("sha256").update(data).digest("hex");
    writeFileSync(local.at("up"), data);
    let from = performance.now();
    const up = await files.upload(local.at("up"), at("big"), { checksum: true });
    const upMs = performance.now() - from;
    assert.deepEqual([up.bytes, up.sha256], [large, sha256]);
    from = performance.now();
    const down = await files.download(at("big"), local.at("down"), { checksum: true });
    const downMs = performance.now() - from;
    assert.deepEqual([down.bytes, down.sha256], [large, sha256]);
    assert.ok(readFileSync(local.at("down")).equals(data));
    t.diagnostic(`up ${Math.round(64_000 / upMs)} MiB/s, down ${Math.round(64_000 / downMs)} MiB/s`);
  });

  /** Begins an upload, and gives it up in the middle. */
  async function cut(name: string, resume: boolean): Promise<void> {
    const ending = new AbortController();
    const coming = files.upload(local.at("up"), at(name), {
      resume,
      signal: ending.signal,
      onProgress: ({ bytes }) => {
        if (bytes > 4_000_000) ending.abort();
      },
    });
    assert.equal(await codeOf(coming), "aborted");
  }

  it("leave the old file whole when they are cut, and nothing else", async () => {
    writeFileSync(local.at("up"), pattern(large));
    await files.writeFile(at("f"), "old");
    await cut("f", false);
    assert.equal((await files.readFile(at("f"))).toString(), "old");
    await until("nothing is left", () => readdirSync(here).length === 1 || undefined);
  });

  it("go on where they were cut, also in an agent that was killed and started again", async () => {
    writeFileSync(local.at("up"), pattern(large));
    await cut("f", true);
    assert.equal(readdirSync(here).length, 1);
    const second = await files.upload(local.at("up"), at("f"), { resume: true, checksum: true });
    assert.ok(second.resumedAt > 0, String(second.resumedAt));
    await cut("g", true);
    await agent.killAndStart();
    await client.close();
    client = await agent.connect();
    ({ files } = client);
    const third = await files.upload(local.at("up"), at("g"), { resume: true, checksum: true });
    assert.ok(third.resumedAt > 0, String(third.resumedAt));
    assert.deepEqual(readdirSync(here).sort(), ["f", "g"]);
  });

  it("keep the access list, and the mode, of what they replace", async () => {
    await files.writeFile(at("f"), "old", { mode: 0o444 });
    writeFileSync(local.at("up"), "new");
    await files.upload(local.at("up"), at("f"));
    const { mode } = await files.stat(at("f"));
    assert.equal(mode, 0o444);
    assert.equal((await files.readFile(at("f"))).toString(), "new");
  });

  it("do not take the place of a file that a program has for itself", async () => {
    await files.writeFile(at("f"), "old");
    writeFileSync(local.at("up"), "new");
    const marker = inHere("open");
    // O_RDWR and UV_FS_O_EXLOCK: with nobody.
    const script = `const fs = require("fs"); const [file, marker] = process.argv.slice(1);
      fs.openSync(file, 2 | 0x10000000); fs.writeFileSync(marker, ""); setTimeout(() => {}, 60_000);`;
    const holder = agent.wine.start(agent.wine.node, ["-e", script, at("f"), at("open")]);
    try {
      await until("the file is open", () => existsSync(marker) || undefined, 30_000);
      const error = await files.upload(local.at("up"), at("f")).then(
        () => undefined,
        (cause: unknown) => cause as Error,
      );
      assert.match(String(error), /QXGA-4002 .*another program has it open/);
      assert.equal(await agentCodeOf(files.remove(at("f"))), "QXGA-4002");
      assert.equal(await agentCodeOf(files.rename(at("f"), at("g"))), "QXGA-4002");
      assert.deepEqual(readdirSync(here).sort(), ["f", "open"]);
    } finally {
      holder.kill();
    }
  });

  it("take a tree both ways", async () => {
    const tree = local.at("tree");
    mkdirSync(path.join(tree, "a/b/c"), { recursive: true });
    mkdirSync(path.join(tree, "empty"));
    for (let index = 0; index < 200; index++) writeFileSync(path.join(tree, `a/f${index}`), `file ${index}`);
    writeFileSync(path.join(tree, "a/b/large"), pattern(3_000_000));
    writeFileSync(path.join(tree, "a/b/c/日本 ü"), "x");
    const up = await files.uploadTree(tree, at("tree"));
    assert.equal(up.entries, 206);
    assert.equal(readFileSync(inHere("tree/a/b/c/日本 ü"), "utf8"), "x");
    await files.downloadTree(at("tree"), local.at("back"));
    const names = (root: string): string[] => readdirSync(root, { recursive: true }).map(String).sort();
    assert.deepEqual(names(local.at("back")), names(tree));
    assert.ok(readFileSync(local.at("back/a/b/large")).equals(pattern(3_000_000)));
    const modifiedMs = (root: string): number => statSync(path.join(root, "a/b/large")).mtimeMs;
    assert.ok(Math.abs(modifiedMs(local.at("back")) - modifiedMs(tree)) < 1); // Windows has 100 ns
  });

  it("refuse a tree that Windows cannot have, and say why", async () => {
    const tree = local.at("tree");
    const refused: readonly [string, RegExp][] = [
      ["nul.txt", /QXGA-2001 .*nul is a device/],
      ["a:b", /QXGA-2001 .*stream/],
      ["dot.", /QXGA-2001 .*dot/],
      ["a\\b", /QXGA-2001 .*backslash/],
    ];
    for (const [name, why] of refused) {
      rmSync(tree, { recursive: true, force: true });
      mkdirSync(tree);
      writeFileSync(path.join(tree, name), "x");
      await assert.rejects(files.uploadTree(tree, at("tree")), why);
    }
    rmSync(tree, { recursive: true });
    mkdirSync(path.join(tree, "Folder"), { recursive: true });
    mkdirSync(path.join(tree, "folder"));
    writeFileSync(path.join(tree, "Folder/x"), "1");
    writeFileSync(path.join(tree, "folder/x"), "2");
    await assert.rejects(files.uploadTree(tree, at("tree")), /QXGA-4003 .*different capitals/);
    const names = readdirSync(inHere("tree"), { recursive: true }).map(String);
    assert.ok(!names.some((name) => name.includes(".limiquantix")), names.join());
  });

  it("leave no handles behind: 200 operations, and as many as before", async () => {
    const round = async (index: number): Promise<void> => {
      await files.writeFile(at(`f${index}`), "x");
      await files.readFile(at(`f${index}`));
      await files.copy(at(`f${index}`), at("copy"));
      await files.rename(at("copy"), at("moved"));
      await files.stat(at("moved"));
      await codeOf(files.readFile(at("gone")));
      await codeOf(files.mkdir(at("no", "way")));
      await codeOf(files.symlink("x", at("link")));
      for await (const { name } of files.list(folder)) assert.notEqual(name, "");
      await files.remove(at(`f${index}`));
    };
    for (let index = 0; index < 3; index++) await round(index);
    const before = agent.wine.openFiles;
    for (let index = 0; index < 20; index++) await round(index);
    let now = 0;
    await until(
      "as many handles as before",
      () => (now = agent.wine.openFiles) <= before + 2 || undefined,
    ).catch(() => assert.fail(`${before} handles before, ${now} after`));
  });
});
