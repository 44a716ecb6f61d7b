import { randomBytes } from "node:crypto";
import { after } from "../deadline.ts";
import type { FreezeGate } from "./gate.ts";
import type { Freezer, Guard } from "./freezer.ts";
import { type Outcome, NotFrozen, type Thawed, freezeAll, freezeMs, thawAll } from "./freezing.ts";
import type { Target } from "./targets.ts";

/** What the guard leaves the agent to act itself. */
const guardGraceSeconds = 3;

export interface FreezeOptions {
  freezer: Freezer;
  gate: FreezeGate;
  /** No guard could be started, and why. */
  onUnguarded: (error: unknown) => void;
  signal: AbortSignal;
  timeoutSeconds: number;
  /** The time has passed. */
  onTimeout: () => void;
}

/** File systems that are frozen, or are just being. */
export class Freeze {
  readonly token = randomBytes(16).toString("base64url");
  readonly since: Date;
  readonly autoThawAt: Date;
  /** How each fared that was tried. */
  readonly outcomes: readonly Outcome[];
  readonly #freezer: Freezer;
  readonly #gate: FreezeGate;
  readonly #guard: Guard | undefined;
  readonly #stopTimer: () => void;
  readonly #startedAt: number;
  #frozen: Target[];

  private constructor(
    { freezer, gate, timeoutSeconds, onTimeout }: FreezeOptions,
    { since, startedAt }: { since: Date; startedAt: number },
    guard: Guard | undefined,
    outcomes: readonly Outcome[],
  ) {
    this.#freezer = freezer;
    this.#gate = gate;
    this.#guard = guard;
    this.#startedAt = startedAt;
    this.since = since;
    this.outcomes = outcomes;
    this.#frozen = outcomes.flatMap(({ target, frozen }) => (frozen ? [target] : []));
    this.autoThawAt = new Date(Date.now() + timeoutSeconds * 1000);
    this.#stopTimer = after(timeoutSeconds * 1000, onTimeout);
  }

  /** Freezes all of them, or rejects with NotFrozen. Their descriptors belong to this from now on. */
  static async begin(targets: readonly Target[], options: FreezeOptions): Promise<Freeze> {
    const { freezer, gate, signal, timeoutSeconds } = options;
    const start = { since: new Date(), startedAt: performance.now() };
    let guard: Guard | undefined;
    try {
      guard = freezer.guard(
        targets.map(({ fd }) => fd),
        Math.ceil(freezeMs / 1000) + guardGraceSeconds,
        timeoutSeconds + guardGraceSeconds,
      );
    } catch (error) {
      options.onUnguarded(error); // the timer here, and the record of it, are left
    }
    gate.close(start.since, mountPointsOf(targets));
    try {
      const outcomes = await freezeAll(freezer, targets, signal);
      guard?.frozen();
      return new Freeze(options, start, guard, outcomes);
    } catch (error) {
      const letGo = (): void => {
        guard?.release();
        for (const { fd } of targets) freezer.close(fd);
      };
      gate.open();
      // What hung keeps its guard.
      if (error instanceof NotFrozen) void error.settled.then(letGo, letGo);
      else letGo();
      throw error;
    }
  }

  /** In the order in which they were frozen. */
  get frozen(): readonly Target[] {
    return this.#frozen;
  }

  get mountPoints(): string[] {
    return mountPointsOf(this.#frozen);
  }

  get durationMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  /** Thaws some of them, or all. What could not be thawed counts as frozen. Never rejects. */
  async thaw(targets: readonly Target[]): Promise<Thawed[]> {
    const results = await thawAll(this.#freezer, targets);
    const gone = new Set(results.filter(({ error }) => error === undefined).map(({ target }) => target));
    this.#frozen = this.#frozen.filter((target) => !gone.has(target));
    if (this.#frozen.length === 0) this.#end();
    return results;
  }

  #end(): void {
    this.#stopTimer();
    this.#guard?.release();
    this.#gate.open();
    for (const { target } of this.outcomes) this.#freezer.close(target.fd);
  }
}

function mountPointsOf(targets: readonly Target[]): string[] {
  return targets.map(({ mount }) => mount.mountPoint).sort();
}
