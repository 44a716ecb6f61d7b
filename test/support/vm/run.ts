// What `npm run vm` runs: boots (or restores) a guest with the agent in it, and attaches limiquantix-ctl.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Machine } from "./machine.ts";
import { savedGuest } from "./saved.ts";
import type { SystemdMachine } from "./systemd/machine.ts";
import { systemdGuest } from "./systemd/saved.ts";

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

const live = process.stdout.isTTY && process.stdin.isTTY;
const telemetry = ["telemetry", live ? "--watch" : "--json"];

/** The small guest, and what to look at in it. */
async function smallGuest(): Promise<{ machine: Machine; look: string[] }> {
  say("preparing the guest (the first time: kernel, disks and a boot, about 20 s)");
  const machine = await (await savedGuest()).restore();
  await machine.startAgent();
  return { machine, look: telemetry };
}

/** The guest with systemd; with a terminal a shell in it, by the agent. */
async function systemGuest(): Promise<{ machine: SystemdMachine; look: string[] }> {
  say("preparing the guest (the first time: Debian's packages, disks and a boot, about 90 s)");
  const machine = await (await systemdGuest()).restore();
  return { machine, look: live ? ["shell"] : telemetry };
}

const { machine, look } = process.argv[2] === "systemd" ? await systemGuest() : await smallGuest();
try {
  const kernel = (await machine.expect("uname -sr")).trim();
  say(`a guest runs (${kernel}); QEMU serves its agent's port at ${machine.agentSocket}`);
  const target = ["--socket", machine.agentSocket];
  process.exitCode = await ctl(["wait", ...target, "--timeout", "60s"]);
  if (process.exitCode === 0) process.exitCode = await ctl([...look, ...target]);
  else say(`the agent's log:\n${await machine.agentLog()}`);
} finally {
  await machine.stop();
}
