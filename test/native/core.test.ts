import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { it } from "node:test";
import { promisify } from "node:util";

/** Runs `script` with the addon, in a folder of its own; gives what it printed, how it ended, and what is in the folder. */
async function run(script: string): Promise<{ stdout: string; signal: unknown; files: string[] }> {
  const folder = mkdtempSync(path.join(tmpdir(), "core-"));
  const addon = path.resolve("build/Release/limiquantix.node");
  try {
    const node = [process.execPath, "-e", `const addon = require(${JSON.stringify(addon)}); ${script}`];
    const limit = 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"';
    const end = await promisify(execFile)("/bin/sh", ["-c", limit, "sh", ...node], { cwd: folder }).catch(
      (error: unknown) => error as { stdout: string; signal: unknown },
    );
    const { stdout } = end;
    return { stdout, signal: "signal" in end ? end.signal : null, files: readdirSync(folder) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const limits = `require("node:fs").readFileSync("/proc/self/limits", "utf8").match(/core file size +(\\S+ +\\S+)/)[1]`;

it("a process without core dumps keeps its hard limit, and leaves no core", async () => {
  const before = await run(`console.log(${limits})`);
  const [, hard = ""] = before.stdout.trim().split(/ +/);
  const after = await run(`addon.forbidCoreDumps(); console.log(${limits})`);
  assert.deepEqual(after.stdout.trim().split(/ +/), [hard === "0" ? "0" : "1", hard]);
  const aborted = await run(
    `addon.forbidCoreDumps(); process.kill(process.pid, "SIGSEGV"); setTimeout(() => {}, 10_000)`,
  );
  assert.deepEqual([aborted.signal, aborted.files], ["SIGSEGV", []]);
});
