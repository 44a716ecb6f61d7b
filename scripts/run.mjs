import { spawn } from "node:child_process";
import path from "node:path";
import { root } from "./stamps.mjs";

/** A problem that the person at the terminal can mend; printed without a stack. */
export class Problem extends Error {}

/** Runs a command quietly; when it fails its output is in the Problem thrown. */
export function run(command, args, { env = {}, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(output);
      reject(
        new Problem(
          `${command} ${args.join(" ")} failed (${signal ?? `exit code ${code}`}):\n${output.trimEnd()}`,
        ),
      );
    });
  });
}

/** Runs a command with this terminal as its own; resolves to its exit code, 128+n for a signal. */
export function runInTerminal(command, args, { env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}

/** A tool out of node_modules/.bin. */
export const tool = (name) => path.join(root, "node_modules", ".bin", name);

/** Prints a Problem as a message and anything else with its stack; exits with 2 or 1. */
export async function main(action) {
  try {
    process.exitCode = (await action()) ?? 0;
  } catch (error) {
    console.error(error instanceof Problem ? `\n${error.message}` : error);
    process.exitCode = error instanceof Problem ? 2 : 1;
  }
}
