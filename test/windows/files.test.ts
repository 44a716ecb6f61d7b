import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Client } from "../../src/host/index.ts";
import { agentCodeOf } from "../support/guest-files.ts";
import { until } from "../support/until.ts";
import { WindowsGuest } from "../support/windows/guest.ts";
import { pattern } from "../support/with-files.ts";

describe("files of a Windows guest", () => {
  let agent: WindowsGuest;
  let client: Client;
  let files: Client["files"];
  let test = 0;
  /** A folder of its own for each test, and the same as this machine has it. */
  let folder = "";
  let here = "";
  const at = (...names: string[]): string => path.win32.join(folder, ...names);
  const inHere = (...names: string[]): string => path.join(here, ...names);
  const namesHere = (): string[] => readdirSync(here).sort();

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

  it("come and go whole, however the host writes the path", async () => {
    for (const bytes of [0, 1, 65_281, 3_000_000]) {
      const data = pattern(bytes);
      const info = await files.writeFile(at("a.bin"), data);
      assert.deepEqual([info.path, info.kind, info.sizeBytes], [at("a.bin"), "file", bytes]);
      assert.ok(readFileSync(inHere("a.bin")).equals(data));
      for (const written of [at("a.bin"), at("A.BIN").replaceAll("\\", "/"), `\\\\?\\${at("a.bin")}`])
        assert.ok((await files.readFile(written)).equals(data), written);
    }
    assert.equal((await files.readFile(at("a.bin"), { offset: 7, length: 5 })).length, 5);
    assert.deepEqual(namesHere(), ["a.bin"]);
  });

  it("have names of any script, and paths longer than 260", async () => {
    const names = Array.from({ length: 4 }, (_, index) => `${index}${"日本語🙂ä".repeat(9)}`);
    const place = at(...names, "end ü.txt");
    await files.writeFile(place, "x", { createParents: true });
    assert.ok(place.length > 200);
    assert.equal((await files.readFile(place)).toString(), "x");
    assert.equal(readFileSync(inHere(...names, "end ü.txt"), "utf8"), "x");
    const found = [];
    for await (const { name, path: shown } of files.list(at(...names))) found.push([name, shown]);
    assert.deepEqual(found, [["end ü.txt", place]]);
  });

  it("are told as Windows has them", async () => {
    const modifiedAt = new Date("2020-02-03T04:05:06.789Z");
    await files.writeFile(at("f"), "abc", { mode: 0o444, modifiedAt });
    const info = await files.stat(at("f"));
    assert.deepEqual([info.mode, info.modifiedAt, info.sizeBytes, info.linkCount], [0o444, modifiedAt, 3, 1]);
    assert.match(info.owner, /\\/);
    assert.equal(statSync(inHere("f")).mode & 0o222, 0);
    await files.setAttributes(at("f"), { mode: 0o640 });
    assert.equal((await files.stat(at("f"))).mode, 0o644);
    const later = new Date("2021-01-01T00:00:00.123Z");
    await files.setAttributes(at("f"), { modifiedAt: later });
    assert.deepEqual((await files.stat(at("f"))).modifiedAt, later);
    const top = await files.stat("C:\\");
    assert.deepEqual([top.kind, top.name, top.path], ["directory", "C:\\", "C:\\"]);
    assert.equal(await agentCodeOf(files.setAttributes(at("f"), { owner: "root" })), "QXGA-3005");
  });

  it("are listed by pages, all of them once", async () => {
    for (let index = 0; index < 1500; index++) writeFileSync(inHere(`file ${index}`), "");
    mkdirSync(inHere("sub"));
    const names: string[] = [];
    for await (const { name } of files.list(folder)) names.push(name);
    assert.equal(new Set(names).size, 1501);
    assert.equal(names.length, 1501);
  });

  it("are refused where Windows would take the name for another one", async () => {
    const cases: readonly [string, string][] = [
      ["C:relative", "QXGA-4007"],
      ["\\rooted", "QXGA-4007"],
      ["/etc/passwd", "QXGA-4007"],
      ["\\\\localhost\\c$\\x", "QXGA-4007"],
      ["\\\\?\\UNC\\localhost\\c$\\x", "QXGA-4007"],
      ["\\\\.\\C:\\x", "QXGA-4007"],
      [at("..", "x").replace("C:\\", "C:\\y\\..\\"), "QXGA-4007"],
      [`${folder}\\nul`, "QXGA-2001"],
      [`${folder}\\COM1.txt`, "QXGA-2001"],
      [`${folder}\\f:stream`, "QXGA-2001"],
      [`${folder}\\f.`, "QXGA-2001"],
      [`${folder}\\f `, "QXGA-2001"],
    ];
    for (const [place, code] of cases) {
      assert.equal(await agentCodeOf(files.readFile(place)), code, place);
      assert.equal(await agentCodeOf(files.writeFile(place, "x")), code, place);
      assert.equal(await agentCodeOf(files.remove(place)), code, place);
      assert.equal(await agentCodeOf(files.stat(place)), code, place);
    }
    assert.deepEqual(namesHere(), []);
  });

  it("are moved, copied and removed", async () => {
    await files.writeFile(at("a"), "one");
    await files.writeFile(at("b"), "two", { mode: 0o444 });
    assert.equal(await agentCodeOf(files.rename(at("a"), at("b"), { replace: false })), "QXGA-4003");
    await files.rename(at("a"), at("b"));
    assert.equal((await files.readFile(at("b"))).toString(), "one");
    await files.copy(at("b"), at("deep", "c"), { createParents: true });
    assert.equal(readFileSync(inHere("deep", "c"), "utf8"), "one");
    assert.equal(await agentCodeOf(files.copy(at("b"), at("deep", "c"), { replace: false })), "QXGA-4003");
    await files.rename(at("deep"), at("moved"));
    assert.equal(await agentCodeOf(files.remove(at("moved"))), "QXGA-4013");
    assert.equal(await agentCodeOf(files.remove(at("gone"))), "QXGA-4001");
    await files.remove(at("moved"), { recursive: true });
    await files.remove(at("b"));
    assert.deepEqual(namesHere(), []);
  });

  it("are removed with all that is in them, and the system is not", async () => {
    const deep = Array.from({ length: 100 }, (_, index) => `d${index}`);
    mkdirSync(inHere("tree", ...deep), { recursive: true });
    for (let index = 0; index < 400; index++) writeFileSync(inHere("tree", "d0", `f${index}`), "");
    writeFileSync(inHere("tree", ...deep, "end"), "", { mode: 0o444 });
    await files.remove(at("tree"), { recursive: true });
    assert.deepEqual(namesHere(), []);
    for (const place of ["C:\\", "C:\\Windows", "c:/WINDOWS"]) {
      assert.equal(await agentCodeOf(files.remove(place, { recursive: true })), "QXGA-4013", place);
    }
    assert.ok(existsSync(path.join(agent.wine.driveC, "windows/system32")));
  });

  it("are links only where the file system has them, and then nothing is left", async () => {
    await files.writeFile(at("f"), "x");
    assert.equal(await agentCodeOf(files.symlink("f", at("link"))), "QXGA-4002"); // Wine has none
    assert.equal(await agentCodeOf(files.symlink("\\\\server\\share", at("link"))), "QXGA-4007");
    assert.deepEqual(namesHere(), ["f"]);
  });

  it("are made folders, also those above", async () => {
    assert.equal(await agentCodeOf(files.mkdir(at("a", "b"))), "QXGA-4004");
    await files.mkdir(at("a", "b"), { recursive: true });
    await files.mkdir(at("a", "B"), { recursive: true }); // it is there
    assert.equal(await agentCodeOf(files.mkdir(at("a"))), "QXGA-4003");
    await files.writeFile(at("f"), "");
    assert.equal(await agentCodeOf(files.mkdir(at("f", "x"))), "QXGA-4005");
  });

  it("are watched", async () => {
    const stop = new AbortController();
    const names = new Set<string>();
    let ready = false;
    const watching = (async () => {
      for await (const { changes } of files.watch(folder, { signal: stop.signal })) {
        ready = true;
        for (const { name } of changes) names.add(name);
      }
    })();
    let tries = 0;
    await until("the first event", async () => {
      await files.writeFile(at(`try ${++tries}`), "");
      return ready || undefined;
    });
    await files.writeFile(at("new"), "x");
    await until("the event of a new file", () => names.has("new") || undefined);
    stop.abort();
    await watching;
  });
});
