import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";

export interface CtlResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CtlOptions {
  /** Added to an environment without any LIMIQUANTIX_ variables. */
  env?: Record<string, string>;
  /** A command that the rest is an argument of, such as ["setpriv", "--reuid", "nobody"]. */
  wrapper?: readonly string[];
  /** Standard input, which is empty otherwise. */
  stdin?: "pipe";
}

let bundled: Promise<string> | undefined;

/**
 * The path of limiquantix-ctl, made of the sources as they are. One file starts three times as fast as the sources
 * do through tsx, and it is what users run.
 */
export function ctlProgram(): Promise<string> {
  bundled ??= (async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "ctl-"));
    process.once("exit", () => {
      rmSync(folder, { recursive: true, force: true });
    });
    chmodSync(folder, 0o755); // another user runs it too
    const outfile = path.join(folder, "ctl.cjs");
    const root = path.resolve(import.meta.dirname, "../..");
    await build({
      absWorkingDir: root,
      entryPoints: ["src/cli/ctl.ts"],
      outfile,
      bundle: true,
      platform: "node",
      target: "node20",
      format: "cjs",
      logLevel: "warning",
    });
    return outfile;
  })();
  return bundled;
}

/** The environment of a user at a shell: nothing of this process's, except what programs need. */
export function ctlEnvironment(env: Record<string, string> = {}): Record<string, string> {
  const { PATH = "/usr/bin:/bin", HOME = "/" } = process.env;
  return { PATH, HOME, LANG: "C.UTF-8", ...env };
}

/** Runs limiquantix-ctl to its end, with standard output and error as pipes. */
export async function ctl(args: readonly string[], options: CtlOptions = {}): Promise<CtlResult> {
  const child = await startCtl(args, options);
  return finished(child);
}

export async function startCtl(
  args: readonly string[],
  { env, wrapper = [], stdin }: CtlOptions = {},
): Promise<ChildProcess> {
  const [command = process.execPath, ...rest] = [...wrapper, process.execPath, await ctlProgram(), ...args];
  return spawn(command, rest, { env: ctlEnvironment(env), stdio: [stdin ?? "ignore", "pipe", "pipe"] });
}

/** What a child printed, and its exit code; null when a signal ended it. */
export function finished(child: ChildProcess): Promise<CtlResult> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs the program as a user who may not open the socket: another one, or this one locked out. */
export function asStranger(socket: string): CtlOptions {
  const isRoot = process.getuid?.() === 0;
  chmodSync(socket, isRoot ? 0o600 : 0o000);
  return isRoot ? { wrapper: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] } : {};
}
