import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Runs a scenario of this folder with mounts, a network and a temporary folder of its own, so that nothing else on
 * the machine sees what it does or disturbs it. Needs root. Rejects with what the scenario wrote unless it comes to
 * its end, where it says "done", in time.
 */
export async function isolated(scenario: string, deadlineMs = 60_000): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "isolated-"));
  const program = [process.execPath, "--import", "tsx", path.join(import.meta.dirname, scenario)];
  try {
    const { stdout } = await run("unshare", ["--mount", "--net", "--propagation", "private", ...program], {
      timeout: deadlineMs,
      killSignal: "SIGKILL",
      env: { ...process.env, TMPDIR: folder, NODE_TEST_CONTEXT: "" },
    });
    if (stdout.trim() !== "done") throw new Error(`${scenario} ended early; it said: ${stdout}`);
  } finally {
    rmSync(folder, { recursive: true, force: true }); // its mounts went with it
  }
}
