import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { ctl as runCtl } from "../support/ctl.ts";
import { WindowsGuest } from "../support/windows/guest.ts";
import { LocalFolder } from "../support/with-files.ts";

const local = new LocalFolder();

describe("limiquantix-ctl with the files of a Windows guest", () => {
  let agent: WindowsGuest;
  before(async () => {
    agent = await WindowsGuest.start();
    await using client = await agent.connect();
    await client.files.mkdir("C:\\work dir");
  });
  after(() => agent[Symbol.asyncDispose]());

  async function run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCtl(args);
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    return stdout;
  }
  const ctl = (...args: string[]): Promise<string> => run(...args, "--socket", agent.socket);

  it("takes both ways to write a path, and joins names as they are written", async () => {
    writeFileSync(local.at("a.txt"), "from here\n");
    await ctl("cp", "-q", local.at("a.txt"), ":C:\\work dir");
    assert.deepEqual(readdirSync(path.join(agent.wine.driveC, "work dir")), ["a.txt"]);
    assert.equal(await ctl("cat", "C:\\work dir\\a.txt"), "from here\n");
    assert.equal(await ctl("cat", ":c:/work dir/a.txt"), "from here\n");
    await ctl("cp", "-q", ":C:\\work dir\\a.txt", local.at("back"));
    assert.equal(readFileSync(local.at("back"), "utf8"), "from here\n");
    await ctl("cp", "-q", "-r", ":C:/work dir", local.path);
    assert.equal(readFileSync(local.at("work dir/a.txt"), "utf8"), "from here\n");
    await ctl("mv", "C:\\work dir\\a.txt", "C:\\work dir\\b.txt");
    assert.match(await ctl("ls", "C:\\work dir"), /b\.txt/);
    await ctl("rm", "-r", "C:\\work dir");
  });

  it("completes paths, as they are written", async () => {
    const completed = async (word: string): Promise<string> =>
      await run("__complete", "--", "ls", "--socket", agent.socket, word);
    assert.match(await completed(":C:/win"), /^:C:\/windows\/$/m);
    assert.match(await completed("C:\\win"), /^C:\\windows\\$/m);
  });
});
