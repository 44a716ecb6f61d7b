import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Runs a scenario of this folder with mounts and a network of its own, so that nothing else on the machine sees what
 * it does or disturbs it. Needs root. Rejects with what the scenario wrote unless it ends well in time.
 */
export async function isolated(scenario: string, deadlineMs = 60_000): Promise<void> {
  const file = path.join(import.meta.dirname, scenario);
  const node = [process.execPath, "--import", "tsx", file];
  await run("unshare", ["--mount", "--net", "--propagation", "private", ...node], {
    timeout: deadlineMs,
    killSignal: "SIGKILL",
    env: { ...process.env, NODE_TEST_CONTEXT: "" },
  });
}
