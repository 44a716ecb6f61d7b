import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import { Freeze } from "./freeze.ts";
import type { Freezer } from "./freezer.ts";
import { NotFrozen, type Thawed, syncAll } from "./freezing.ts";
import { type FreezeGate, frozenText } from "./gate.ts";
import type { HookFolders, HookRequest } from "./hook-folders.ts";
import type { HookResult } from "./hooks.ts";
import type { RecordFile } from "./record.ts";
import type { Recovery } from "./recovery.ts";
import { type FileSystemLine, Refused, outcomeLines } from "./refused.ts";
import { type Target, type Targets, openTargets } from "./targets.ts";

/** How long they stay frozen unless the host says otherwise, and at most. */
const defaultSeconds = 60;
const mostSeconds = 600;

export interface QuiesceOptions {
  freezer: Freezer;
  gate: FreezeGate;
  hooks: HookFolders;
  record: RecordFile;
  log: Pick<Log, "warn">;
}

export interface FreezeRequest extends HookRequest {
  mountPoints: readonly string[];
  /** 0 for the default. */
  timeoutSeconds: number;
}

export interface ThawRequest extends HookRequest {
  /** "" thaws whatever is frozen, whoever has frozen it. */
  token: string;
  mountPoints: readonly string[];
}

export interface ThawResult {
  thawed: string[];
  frozenMs: number;
  hooks: HookResult[];
  /** All is thawed, but not all is well. */
  problem?: CodedError;
}

/** How the last freeze ended. */
export interface End {
  why: "thaw" | "timeout" | "restart";
  at: Date;
  /** Before its host thawed it, all or some of it. */
  cutShort: boolean;
}

type State =
  | { is: "thawed" }
  /** Nothing is frozen, but it is about to be, or has just been. */
  | { is: "busy" }
  | { is: "frozen"; freeze: Freeze; hooksRan: boolean }
  | { is: "thawing"; freeze: Freeze };

const underWay = "another freeze or thaw is under way; try again when it has ended";

/** Stills the guest's file systems for a snapshot: one freeze at a time, however many hosts come and go. */
export class Quiesce {
  readonly #options: QuiesceOptions;
  #state: State = { is: "thawed" };
  #last: End | undefined;

  constructor(options: QuiesceOptions) {
    this.#options = options;
  }

  get status(): { freeze: Freeze | undefined; last: End | undefined } {
    const state = this.#state;
    const freeze = state.is === "frozen" || state.is === "thawing" ? state.freeze : undefined;
    return { freeze, last: this.#last };
  }

  /**
   * Freezes all, or nothing is frozen and it rejects: with Refused, or another CodedError when it has not come to trying.
   * `signal` gives it up.
   */
  async freeze(
    request: FreezeRequest,
    signal: AbortSignal,
  ): Promise<{ freeze: Freeze; lines: FileSystemLine[]; hooks: HookResult[] }> {
    this.#requireThawed();
    this.#state = { is: "busy" };
    try {
      const result = await this.#freeze(request, signal);
      this.#state = { is: "frozen", freeze: result.freeze, hooksRan: request.runHooks };
      return result;
    } catch (error) {
      this.#state = { is: "thawed" };
      throw error;
    }
  }

  async #freeze(request: FreezeRequest, signal: AbortSignal) {
    const { freezer, record } = this.#options;
    const hooks = await this.#options.hooks.forFreeze(request);
    const targets = await openTargets(freezer, request.mountPoints);
    const mountPoints = mountPointsOf(targets.open);
    let isOpen = true;
    try {
      if (targets.open.length === 0) throw nothingToFreeze(targets);
      await record.write(targets.open, request.runHooks);
      await hooks.run(mountPoints, signal);
      await syncAll(freezer, targets.open, signal);
      isOpen = false; // they are the freeze's to close
      const freeze = await this.#begin(targets.open, request.timeoutSeconds, signal);
      return { freeze, lines: outcomeLines(freeze.outcomes, targets.skipped), hooks: hooks.results };
    } catch (error) {
      if (isOpen) for (const { fd } of targets.open) freezer.close(fd);
      await hooks.takeBack(mountPoints);
      await this.#forget();
      throw Refused.from(error, targets.skipped, hooks.results);
    }
  }

  async #begin(targets: readonly Target[], timeoutSeconds: number, signal: AbortSignal): Promise<Freeze> {
    const { freezer, gate, log } = this.#options;
    const freeze = await Freeze.begin(targets, {
      freezer,
      gate,
      signal,
      timeoutSeconds: Math.min(timeoutSeconds === 0 ? defaultSeconds : timeoutSeconds, mostSeconds),
      onUnguarded: (error) => {
        log.warn({ err: error }, "no guard for the freeze: only the agent itself thaws it");
      },
      onTimeout: () => void this.#end("timeout"),
    });
    if (freeze.frozen.length > 0 && !signal.aborted) return freeze;
    // None of their kinds can be frozen, or nobody would learn of it.
    await freeze.thaw(freeze.frozen);
    const message = signal.aborted ? "freezing was given up" : "none of the file systems can be frozen";
    const code = signal.aborted ? "quiesce" : "mount";
    throw new NotFrozen(code, message, freeze.outcomes, Promise.resolve());
  }

  /**
   * Thaws, and does nothing before that could wait for what is frozen. Rejects with a CodedError: notQuiesced, mount; with
   * Refused when not all could be thawed, or some of it was before.
   */
  async thaw(request: ThawRequest): Promise<ThawResult> {
    const state = this.#state;
    if (state.is !== "frozen") throw this.#notFrozen();
    const { freeze } = state;
    if (request.token !== "" && request.token !== freeze.token) {
      const text = frozenText(freeze.mountPoints, freeze.since);
      throw new CodedError("notQuiesced", `the token is not that of this freeze: ${text}`);
    }
    const targets = named(freeze, request.mountPoints);
    this.#state = { is: "thawing", freeze };
    const frozenMs = freeze.durationMs;
    const results = await freeze.thaw(targets);
    const problem = problemOf(results);
    const thawed = results.flatMap(({ target, error, early }) =>
      error === undefined && !early ? [target.mount.mountPoint] : [],
    );
    if (freeze.frozen.length > 0) {
      this.#state = state;
      if (problem) throw Refused.afterThaw(problem, { thawed, frozenMs, hooks: [] });
      return { thawed, frozenMs, hooks: [] };
    }
    this.#state = { is: "busy" };
    this.#last = { why: "thaw", at: new Date(), cutShort: results.some(({ early }) => early) };
    await this.#forget();
    const after = await this.#options.hooks.afterThaw(request, mountPointsOf(targets));
    this.#state = { is: "thawed" };
    if (problem) throw Refused.afterThaw(problem, { thawed, frozenMs, hooks: after.hooks });
    return { thawed, frozenMs, ...after };
  }

  /** What the agent found at its start; its post-thaw hooks are run. Never rejects. */
  async recovered({ record, thawed, problems }: Recovery): Promise<void> {
    const { log, hooks } = this.#options;
    this.#last = { why: "restart", at: new Date(), cutShort: true };
    const message = "the agent ended while file systems were frozen; they are thawed";
    log.warn({ frozenSince: record.since, thawed, problems, code: "QXGA-5006" }, message);
    if (!record.hooks) return;
    this.#state = { is: "busy" };
    await hooks.afterThawAlone(record.fileSystems.map(({ mountPoint }) => mountPoint));
    this.#state = { is: "thawed" };
  }

  /** The agent stops: nothing stays frozen. */
  async close(): Promise<void> {
    await this.#end("restart");
  }

  /** Thaws without its host. Never rejects. */
  async #end(why: "timeout" | "restart"): Promise<void> {
    const state = this.#state;
    if (state.is !== "frozen") return;
    const { log, hooks } = this.#options;
    const { freeze } = state;
    const { mountPoints } = freeze;
    this.#state = { is: "thawing", freeze };
    const problems = (await freeze.thaw(freeze.frozen)).flatMap(({ error }) => error ?? []);
    this.#last = { why, at: new Date(), cutShort: true };
    const facts = { mountPoints, why, frozenMs: freeze.durationMs, problems, code: "QXGA-5006" };
    log.warn(facts, "file systems were thawed without their host");
    if (freeze.frozen.length > 0) {
      this.#state = state; // for a host to try again
      return;
    }
    this.#state = { is: "busy" };
    await this.#forget();
    // An agent that stops ends its commands: the next one would have to run them.
    if (state.hooksRan && why === "timeout") await hooks.afterThawAlone(mountPoints);
    this.#state = { is: "thawed" };
  }

  /** A record that stays costs the next agent a thaw of what is thawed. */
  async #forget(): Promise<void> {
    const { log, record } = this.#options;
    await record.remove().catch((error: unknown) => {
      log.warn({ err: error }, "the record of a freeze that is over could not be removed");
    });
  }

  #requireThawed(): void {
    const state = this.#state;
    if (state.is === "thawed") return;
    if (state.is === "busy") throw new CodedError("alreadyQuiesced", underWay);
    const { mountPoints, since, autoThawAt } = state.freeze;
    const text = `${frozenText(mountPoints, since)}; thaw first, or wait until ${autoThawAt.toISOString()}`;
    throw new CodedError("alreadyQuiesced", text);
  }

  #notFrozen(): CodedError {
    if (this.#state.is !== "thawed") return new CodedError("notQuiesced", underWay);
    if (!this.#last?.cutShort) return new CodedError("notQuiesced", "nothing is frozen");
    const why = this.#last.why === "restart" ? "when the agent ended" : "when their time was over";
    const text = `nothing is frozen any more: it was thawed ${why}; a snapshot taken after that is not consistent`;
    return new CodedError("notQuiesced", text);
  }
}

function mountPointsOf(targets: readonly Target[]): string[] {
  return targets.map(({ mount }) => mount.mountPoint);
}

function nothingToFreeze({ skipped: [first] }: Targets): CodedError {
  const why = first ? `: ${first.mount.mountPoint}: ${first.reason}` : "";
  return new CodedError("mount", `there is nothing to freeze${why}`);
}

/** Those of the host's mount points; all without any. Throws a CodedError mount. */
function named(freeze: Freeze, mountPoints: readonly string[]): readonly Target[] {
  if (mountPoints.length === 0) return freeze.frozen;
  const wanted = new Set<Target>();
  for (const name of mountPoints) {
    const target = freeze.frozen.find(({ fileSystem }) =>
      fileSystem.mounts.some(({ mountPoint }) => mountPoint === name),
    );
    if (target === undefined) throw new CodedError("mount", `${name} is not frozen`);
    wanted.add(target);
  }
  return freeze.frozen.filter((target) => wanted.has(target));
}

function problemOf(results: readonly Thawed[]): CodedError | undefined {
  const failure = results.find(({ error }) => error !== undefined);
  if (failure) {
    return new CodedError("thaw", `cannot thaw ${failure.target.mount.mountPoint}: ${failure.error ?? ""}`);
  }
  const early = results.filter((result) => result.early).map(({ target }) => target.mount.mountPoint);
  if (early.length === 0) return undefined;
  const text = `somebody else had thawed ${early.join(", ")} before; a snapshot may not be consistent`;
  return new CodedError("notQuiesced", text);
}
