import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import type { Client } from "../../src/host/index.ts";
import { agentCodeOf } from "../support/guest-files.ts";
import { WindowsGuest } from "../support/windows/guest.ts";
import { LocalFolder } from "../support/with-files.ts";

const local = new LocalFolder();

describe("what the policy of a Windows guest allows", () => {
  let agent: WindowsGuest;
  let client: Client;
  let files: Client["files"];
  const here = (...names: string[]): string => path.join(agent.wine.driveC, ...names);

  before(async () => {
    agent = await WindowsGuest.start({
      security: {
        allow_file_write_paths: ["C:\\Allowed"],
        deny_file_read_paths: ["C:\\Allowed\\Secret", "C:\\Allowed\\one.txt", "C:\\Allowed\\Long secret"],
      },
    });
    mkdirSync(here("Allowed/Secret"), { recursive: true });
    mkdirSync(here("Allowed/Long secret"));
    writeFileSync(here("Allowed/Long secret/key"), "secret");
    mkdirSync(here("AllowedToo"));
    mkdirSync(here("Other"));
    writeFileSync(here("Allowed/Secret/key"), "secret");
    writeFileSync(here("Allowed/one.txt"), "secret");
    writeFileSync(here("Other/file"), "other");
    client = await agent.connect();
    ({ files } = client);
  });
  after(async () => {
    await client.close();
    await agent[Symbol.asyncDispose]();
  });

  it("is compared by whole names, without regard to case, wherever a path leads", async () => {
    await files.writeFile("c:/ALLOWED/new.txt", "x");
    for (const place of ["C:\\AllowedToo\\x", "C:\\x", "C:\\Other\\x", "D:\\x", "\\\\?\\C:\\Other\\x"])
      assert.equal(
        await agentCodeOf(files.writeFile(place, "x")).then((code) => code !== undefined),
        true,
        place,
      );
    assert.equal(await agentCodeOf(files.writeFile("C:\\Allowed2", "x")), "QXGA-4008");
    for (const place of ["C:\\Allowed\\secret\\KEY", "c:/allowed/SECRET/key", "C:\\Allowed\\ONE.TXT"])
      assert.equal(await agentCodeOf(files.readFile(place)), "QXGA-4009", place);
    assert.equal(await agentCodeOf(files.copy("C:\\Allowed\\Secret\\key", "C:\\Allowed\\copy")), "QXGA-4009");
  });

  it("is not led around by a move", async () => {
    assert.equal(await agentCodeOf(files.rename("C:\\Allowed\\Secret", "C:\\Allowed\\Open")), "QXGA-4009");
    assert.equal(await agentCodeOf(files.rename("C:\\Allowed\\one.txt", "C:\\Allowed\\two")), "QXGA-4009");
    assert.equal(await agentCodeOf(files.remove("C:\\Other\\file")), "QXGA-4008");
    assert.equal(await agentCodeOf(files.rename("C:\\Other\\file", "C:\\Allowed\\file")), "QXGA-4008");
    assert.equal(await agentCodeOf(files.setAttributes("C:\\Other\\file", { mode: 0o444 })), "QXGA-4008");
    assert.deepEqual(readdirSync(here("Other")), ["file"]);
    assert.equal(readFileSync(here("Other/file"), "utf8"), "other");
  });

  it("is not led around by an alias of 8.3", async () => {
    const { stdout } = await agent.wine.start("cmd.exe", ["/c", "dir /x C:\\Allowed"]).ended;
    const alias = `C:\\Allowed\\${/(\S+~\S+) +Long secret/.exec(stdout)?.[1] ?? ""}`;
    assert.match(alias, /~/, stdout);
    assert.equal(await agentCodeOf(files.readFile(`${alias}\\key`)), "QXGA-4009");
    assert.equal(await agentCodeOf(files.rename(alias, "C:\\Allowed\\open")), "QXGA-4009");
    assert.equal(await agentCodeOf(files.list(alias).next()), "QXGA-4009");
  });

  it("is told of trees: what may not be read is left out", async () => {
    const { skipped } = await files.downloadTree("C:\\Allowed", local.at("tree"));
    assert.deepEqual(readdirSync(local.at("tree")).includes("Secret"), false);
    assert.equal(readdirSync(local.at("tree")).includes("one.txt"), false);
    assert.ok(
      skipped.some((text) => text.includes("Secret")),
      skipped.join(),
    );
    mkdirSync(local.at("up"));
    writeFileSync(local.at("up/x"), "x");
    assert.equal(await agentCodeOf(files.uploadTree(local.at("up"), "C:\\Other\\tree")), "QXGA-4008");
  });
});
