import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { removeRemains } from "../../src/agent/service/remains.ts";

describe("what a removed service has left", () => {
  let scratch: string;
  let folder: string;

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), "remains-"));
    folder = path.join(scratch, "LimiQuantix");
    mkdirSync(path.join(folder, "state"), { recursive: true });
    writeFileSync(path.join(folder, "state", "shutdown.json"), "{}");
    for (const name of ["agent.log", "agent.log.1", "agent.log.12"])
      writeFileSync(path.join(folder, name), "");
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });

  it("goes with the folder", async () => {
    await removeRemains(folder);
    assert.ok(!existsSync(folder));
  });

  it("stays where it is the config, or somebody else's", async () => {
    const others = ["agent.log.backup", "agent.yaml", "hooks", "my-agent.log"];
    for (const name of others) writeFileSync(path.join(folder, name), "");
    await removeRemains(folder);
    assert.deepEqual(readdirSync(folder).sort(), others);
  });

  it("is not looked for behind links", async () => {
    const outside = path.join(scratch, "outside");
    mkdirSync(outside);
    writeFileSync(path.join(outside, "kept"), "");
    rmSync(path.join(folder, "state"), { recursive: true });
    symlinkSync(outside, path.join(folder, "state"));
    await removeRemains(folder);
    assert.deepEqual(readdirSync(outside), ["kept"]);
  });
});
