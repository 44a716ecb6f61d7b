import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import type { Tools } from "../tools/tools.ts";
import { type Hook, type HookResult, afterFailure, hookFolder, hooksIn, runHooks } from "./hooks.ts";

export interface HookOptions {
  tools: Pick<Tools, "run">;
  log: Pick<Log, "error">;
  preFreezeFolder: string;
  postThawFolder: string;
  /** Whether the guest has lists of commands. */
  restricted: () => boolean;
}

/** What a host asks for: "" is the configured folder. */
export interface HookRequest {
  runHooks: boolean;
  hookFolder: string;
}

/** A pre-freeze hook failed; those behind it were not run. */
export class HooksFailed extends CodedError {
  constructor(failure: HookResult) {
    super("hookScript", `nothing was frozen: ${withoutCode(failure.error)}`);
  }
}

/** The guest's scripts for before and after a freeze. */
export class HookFolders {
  readonly #options: HookOptions;

  constructor(options: HookOptions) {
    this.#options = options;
  }

  /** Those of a freeze. Rejects with a CodedError hookScript, before any is run. */
  async forFreeze(request: HookRequest): Promise<FreezeHooks> {
    const { preFreezeFolder, postThawFolder, restricted } = this.#options;
    const folder = await hookFolder(request.hookFolder, preFreezeFolder, { restricted: restricted() });
    const before = request.runHooks ? await hooksIn(folder, { mustExist: request.hookFolder !== "" }) : [];
    // They have to be fit to run before anything needs them.
    const after = request.runHooks ? await hooksIn(postThawFolder, { mustExist: false }) : [];
    return new FreezeHooks(this.#options.tools, before, after);
  }

  /** After a thaw. Never rejects: what went wrong is `problem`. */
  async afterThaw(
    request: HookRequest,
    mountPoints: readonly string[],
  ): Promise<{ hooks: HookResult[]; problem?: CodedError }> {
    const { tools, postThawFolder, restricted } = this.#options;
    if (!request.runHooks) return { hooks: [] };
    try {
      const folder = await hookFolder(request.hookFolder, postThawFolder, { restricted: restricted() });
      const found = await hooksIn(folder, { mustExist: request.hookFolder !== "" });
      const hooks = await runHooks(tools, found, { event: "post-thaw", mountPoints, stopAtFailure: false });
      const failure = hooks.find(({ error }) => error !== "");
      if (!failure) return { hooks };
      return {
        hooks,
        problem: new CodedError("hookScript", `all is thawed, but ${withoutCode(failure.error)}`),
      };
    } catch (cause) {
      if (cause instanceof CodedError) return { hooks: [], problem: cause };
      return { hooks: [], problem: new CodedError("hookScript", String(cause), { cause }) };
    }
  }

  /** The same without a host that is told: the log is. */
  async afterThawAlone(mountPoints: readonly string[]): Promise<void> {
    const { problem } = await this.afterThaw({ runHooks: true, hookFolder: "" }, mountPoints);
    if (problem) this.#options.log.error({ err: problem }, problem.wireText);
  }
}

/** The hooks of one freeze. */
export class FreezeHooks {
  /** Of those that have been run, in their order. */
  readonly results: HookResult[] = [];
  readonly #tools: Pick<Tools, "run">;
  readonly #before: readonly Hook[];
  readonly #after: readonly Hook[];

  constructor(tools: Pick<Tools, "run">, before: readonly Hook[], after: readonly Hook[]) {
    this.#tools = tools;
    this.#before = before;
    this.#after = after;
  }

  /** Rejects with HooksFailed at the first that fails. */
  async run(mountPoints: readonly string[], signal: AbortSignal): Promise<void> {
    const run = { event: "pre-freeze", mountPoints, stopAtFailure: true, signal } as const;
    const results = await runHooks(this.#tools, this.#before, run);
    this.results.push(...results);
    const failure = results.find(({ error }) => error !== "");
    if (failure) throw new HooksFailed(failure);
  }

  /** Nothing was frozen after all: those that have begun are told. Never rejects. */
  async takeBack(mountPoints: readonly string[]): Promise<void> {
    if (this.results.length === 0) return;
    const undo = afterFailure(this.#after, this.#before, this.results);
    const run = { event: "post-thaw", mountPoints, stopAtFailure: false } as const;
    this.results.push(...(await runHooks(this.#tools, undo, run)));
  }
}

function withoutCode(error: string): string {
  return error.replace(/^QXGA-\d+ /, "");
}
