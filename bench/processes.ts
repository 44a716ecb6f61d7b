import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export const agentProgram = path.resolve("dist/bin/agent.cjs");

/** The environment that the service has: nothing of this shell that would slow Node's start. */
export const serviceEnvironment = { PATH: process.env.PATH ?? "", HOME: "/", MALLOC_ARENA_MAX: "1" };

export function startProgram(program: string, args: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: ["ignore", "ignore", "ignore"], env: serviceEnvironment });
}

export function startNode(args: readonly string[]): ChildProcess {
  return startProgram(process.execPath, args);
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

/** Runs `body` with a fresh folder that is removed afterwards. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "bench-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A field of smaps_rollup in KiB. Anonymous: resident memory without the files that are mapped. */
export function memoryKiB(pid: number, field: "Anonymous" | "Rss" | "Pss"): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1]);
}

export const anonymousKiB = (pid: number): number => memoryKiB(pid, "Anonymous");

export const threads = (pid: number): number => readdirSync(`/proc/${pid}/task`).length;

/** Times a process has gone to sleep, all threads together: what wakes up must have slept. */
export function sleeps(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    sum += Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1]);
  }
  return sum;
}
