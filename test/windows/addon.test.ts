import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Wine, windowsPath } from "../support/windows/wine.ts";

const addon = windowsPath("prebuilds/win32-x64/limiquantix.node");

describe("the addon for Windows", () => {
  let wine: Wine;
  before(async () => {
    wine = await Wine.open();
  });
  after(() => wine[Symbol.asyncDispose]());

  it("is loaded by node.exe, and by one that has another name", async () => {
    const script = `console.log(typeof require(process.argv[1]).Port, process.execPath)`;
    const renamed = path.join(wine.folder, "limiquantix-agent.exe");
    copyFileSync(wine.node, renamed);
    for (const program of [wine.node, renamed]) {
      const { code, stdout, stderr } = await wine.start(program, ["-e", script, addon]).ended;
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, new RegExp(`^\\w+ .*${path.basename(program)}\\s*$`));
    }
  });
});
