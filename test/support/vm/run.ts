// What `npm run vm` runs: boots (or restores) the guest, starts the agent in it, and attaches limiquantix-ctl.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { savedGuest } from "./saved.ts";

const say = (text: string): void => {
  process.stderr.write(`· ${text}\n`);
};

async function ctl(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [path.resolve("dist/bin/ctl.cjs"), ...args], { stdio: "inherit" });
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return code ?? (signal === "SIGINT" ? 130 : 143);
}

process.on("SIGINT", () => undefined); // the CLI ends on it, and then the guest
process.on("SIGTERM", () => process.exit(143)); // QEMU ends with this process

say("preparing the guest (the first time: kernel, disks and a boot, about 20 s)");
const guest = await savedGuest();
await using machine = await guest.restore();
const kernel = (await machine.expect("uname -sr")).trim();
await machine.startAgent();
say(`a guest runs (${kernel}); QEMU serves its agent's port at ${machine.agentSocket}`);
const target = ["--socket", machine.agentSocket];
process.exitCode = await ctl(["wait", ...target, "--timeout", "60s"]);
if (process.exitCode === 0) {
  const live = process.stdout.isTTY && process.stdin.isTTY;
  process.exitCode = await ctl(["telemetry", ...target, live ? "--watch" : "--json"]);
} else {
  say(`the agent's log:\n${await machine.agentLog()}`);
}
