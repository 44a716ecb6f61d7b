// npm start: from a fresh clone to live telemetry of this machine, without a virtual machine. The guest daemon
// serves a UNIX socket that stands in for the virtio port, and the host's CLI is attached to it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Problem, main, runInTerminal } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root } from "./stamps.mjs";

await main(async () => {
  await setup();
  const folder = mkdtempSync(path.join(tmpdir(), "limiquantix-"));
  const socket = path.join(folder, "agent.sock");
  const logFile = path.join(folder, "agent.log");
  const log = openSync(logFile, "a");
  const agent = spawn(
    process.execPath,
    [path.join(root, "dist/bin/agent.cjs"), "--port", `unix-listen:${socket}`],
    {
      stdio: ["ignore", "ignore", log],
    },
  );
  closeSync(log);
  const ended = once(agent, "exit");
  // Ctrl-C reaches the CLI, which ends; then the agent is stopped below.
  process.on("SIGINT", () => undefined);
  try {
    const live = process.stdout.isTTY && process.stdin.isTTY;
    const ctl = path.join(root, "dist/bin/ctl.cjs");
    const waited = await runInTerminal(process.execPath, [
      ctl,
      "wait",
      "--socket",
      socket,
      "--timeout",
      "20s",
    ]);
    if (waited !== 0)
      throw new Problem(`the agent did not answer; its log:\n${readFileSync(logFile, "utf8")}`);
    const view = live ? ["--watch"] : ["--json"];
    return await runInTerminal(process.execPath, [ctl, "telemetry", "--socket", socket, ...view]);
  } finally {
    agent.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
});
