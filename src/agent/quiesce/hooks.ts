import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import { withDeadline } from "../deadline.ts";
import { isErrno } from "../files/file-error.ts";
import { type Tools, failureText } from "../tools/tools.ts";
import { trustedPath } from "./trust.ts";

/** A script that runs before freezing or after thawing. */
export interface Hook {
  name: string;
  /** As it was found: a link keeps its name. */
  path: string;
}

export interface HookResult {
  hook: Hook;
  /** 128+n after death by signal n; -1 when it could not be started or took too long. */
  exitCode: number;
  output: string;
  truncated: boolean;
  timedOut: boolean;
  durationMs: number;
  /** Empty when it did what it should. */
  error: string;
}

/** qemu-ga's scripts know the first two, and can be used as they are. */
export const events = {
  "pre-freeze": "freeze",
  "post-thaw": "thaw",
} as const;
export type HookEvent = keyof typeof events;

/** How long one may take, and all of one event. */
const hookSeconds = 30;
const allSeconds = 60;

const mostHooks = 64;
const outputBytes = 4096;
const folderMs = 10_000;

/** What editors and package managers leave beside files. */
const leftover = /^\.|~$|\.(bak|orig|rej|swp|sample|rpm(new|orig|save)|dpkg-(old|new|tmp|dist|bak)|ucf-\w+)$/;

/**
 * The hooks in a folder, by name: regular files that can be executed. None when it is not there, unless the host has named
 * it. Rejects with a CodedError hookScript when others than root could change the folder or one of them.
 */
export async function hooksIn(folder: string, { mustExist }: { mustExist: boolean }): Promise<Hook[]> {
  try {
    return await withDeadline(listHooks(folder), folderMs);
  } catch (error) {
    if (isErrno(error, "ENOENT") && !mustExist) return [];
    if (error instanceof CodedError) throw error;
    throw new CodedError("hookScript", `cannot use the hooks in ${folder}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function listHooks(folder: string): Promise<Hook[]> {
  await trustedPath(folder);
  const hooks: Hook[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (leftover.test(name)) continue;
    const place = path.join(folder, name);
    const stats = await stat(place);
    if (!stats.isFile() || (stats.mode & 0o111) === 0) continue;
    await trustedPath(place);
    hooks.push({ name, path: place });
  }
  if (hooks.length > mostHooks) {
    throw new Error(`there are ${hooks.length}; at most ${mostHooks} are run`);
  }
  return hooks;
}

/**
 * The folder that a host may have hooks run from: where the guest has lists of commands only the configured one and those
 * below it, since a hook is a command. Rejects with a CodedError hookScript.
 */
export async function hookFolder(
  asked: string,
  configured: string,
  { restricted }: { restricted: boolean },
): Promise<string> {
  if (asked === "") return configured;
  if (!path.isAbsolute(asked) || asked.includes("\0")) {
    throw new CodedError("hookScript", `${JSON.stringify(asked)} is no folder for hooks: no absolute path`);
  }
  if (!restricted) return asked;
  try {
    const [real, allowed] = await withDeadline(
      Promise.all([realpath(asked), realpath(configured)]),
      folderMs,
    );
    if (real === allowed || real.startsWith(`${allowed}/`)) return real;
  } catch (error) {
    throw new CodedError("hookScript", `cannot use the hooks in ${asked}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const message = `hooks may come from ${configured} only, as this guest has a list of commands; not from ${asked}`;
  throw new CodedError("hookScript", message);
}

export interface HookRun {
  event: HookEvent;
  mountPoints: readonly string[];
  /** The rest is not run when one fails. */
  stopAtFailure: boolean;
  /** Ends them. */
  signal?: AbortSignal;
}

/** Runs hooks one after the other, as root. Never rejects: what went wrong is in the results. */
export async function runHooks(
  tools: Pick<Tools, "run">,
  hooks: readonly Hook[],
  run: HookRun,
): Promise<HookResult[]> {
  const results: HookResult[] = [];
  const end = performance.now() + allSeconds * 1000;
  for (const hook of hooks) {
    const leftSeconds = (end - performance.now()) / 1000;
    const result =
      leftSeconds > 0
        ? await runHook(tools, hook, run, Math.min(hookSeconds, leftSeconds))
        : failed(hook, `was not run: those before it took ${allSeconds} s`);
    results.push(result);
    if (result.error !== "" && run.stopAtFailure) break;
  }
  return results;
}

async function runHook(
  tools: Pick<Tools, "run">,
  hook: Hook,
  { event, mountPoints, signal }: HookRun,
  timeoutSeconds: number,
): Promise<HookResult> {
  try {
    const result = await tools.run(hook.path, [events[event]], {
      environment: { LIMIQUANTIX_EVENT: event, LIMIQUANTIX_MOUNT_POINTS: mountPoints.join("\n") },
      timeoutSeconds,
      maxOutputBytes: outputBytes,
      ...(signal && { signal }),
    });
    const { exitCode, timedOut, durationMs } = result;
    const isGood = exitCode === 0 && !timedOut;
    return {
      hook,
      exitCode: timedOut ? -1 : exitCode,
      ...outputOf(result),
      timedOut,
      durationMs,
      error: isGood ? "" : new CodedError("hookScript", failureText(hook.path, result)).wireText,
    };
  } catch (error) {
    return failed(hook, `could not be run: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function outputOf(result: { stdout: string; stderr: string; truncated: boolean }): {
  output: string;
  truncated: boolean;
} {
  const all = Buffer.from(result.stdout + result.stderr);
  const truncated = result.truncated || all.length > outputBytes;
  return { output: new TextDecoder().decode(all.subarray(0, outputBytes), { stream: true }), truncated };
}

function failed(hook: Hook, why: string): HookResult {
  const error = new CodedError("hookScript", `${hook.path} ${why}`).wireText;
  return { hook, exitCode: -1, output: "", truncated: false, timedOut: false, durationMs: 0, error };
}

/**
 * The post-thaw hooks to run when not all pre-freeze hooks have: those whose namesake was not begun have nothing to take
 * back. One without a namesake is run: whatever it takes back may have been done.
 */
export function afterFailure(
  postThaw: readonly Hook[],
  preFreeze: readonly Hook[],
  begun: readonly HookResult[],
): Hook[] {
  const begunNames = new Set(begun.map(({ hook }) => hook.name));
  const idle = new Set(preFreeze.map(({ name }) => name).filter((name) => !begunNames.has(name)));
  return postThaw.filter(({ name }) => !idle.has(name));
}
