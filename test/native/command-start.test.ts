import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { Cgroups } from "../../src/agent/commands/cgroups.ts";
import { Command } from "../../src/agent/commands/command.ts";
import { processesWith } from "../support/processes.ts";

describe("a command's start", () => {
  it("is given up whenever its signal comes", async () => {
    const seconds = `6${process.pid}.25`;
    const options = {
      files: ["/bin/sleep"],
      args: ["sleep", seconds],
      environment: [],
      workingDirectory: "/",
    };
    const stop = new AbortController();
    /** The signal comes while the folder is looked for. */
    class SlowCgroups extends Cgroups {
      override offer(): Promise<string[]> {
        stop.abort(new Error("the host went away"));
        return Promise.resolve([]);
      }
    }
    const start = Command.start("root", options, new SlowCgroups(), stop.signal, () => undefined);
    await assert.rejects(start, /the host went away/);
    assert.deepEqual(processesWith(seconds), []);
  });
});

describe("an agent without privileges", () => {
  it("gives up a command that it may not end", async (test) => {
    const folder = mkdtempSync(path.join(tmpdir(), "set-uid-"));
    try {
      chmodSync(folder, 0o755);
      const program = path.join(folder, "perl");
      copyFileSync("/usr/bin/perl", program);
      chmodSync(program, 0o4755);
      const script = path.resolve("test/support/unprivileged-command.ts");
      const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script, program]);
      const { pid, isOurs, signal } = JSON.parse(stdout) as { pid: number; isOurs: boolean; signal: number };
      if (isOurs) {
        test.skip("set-uid programs do not work here");
        return;
      }
      process.kill(pid, "SIGKILL");
      assert.equal(signal, 9);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
