import { CodedError, type ErrorCode } from "../../wire/errors.ts";
import { withDeadline } from "../deadline.ts";
import { isErrno } from "../files/file-error.ts";
import type { Freezer } from "./freezer.ts";
import type { Target } from "./targets.ts";

/** How long writing out and freezing may take, for all together. */
export const syncMs = 60_000;
export const freezeMs = 30_000;

/** How long thawing one may take; it goes on then, and the next one has its turn. */
const thawMs = 10_000;

/** How one of them fared. */
export interface Outcome {
  target: Target;
  frozen: boolean;
  /** Why it is not. */
  error?: string;
}

/** Nothing is frozen, or no more than was: and how each fared that was tried. */
export class NotFrozen extends CodedError {
  constructor(
    code: ErrorCode,
    message: string,
    readonly outcomes: readonly Outcome[],
    /** Settles when what hung has come back, and was thawed. */
    readonly settled: Promise<unknown>,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** Has all of them written out, so that they stand still for a short time only. */
export async function syncAll(
  freezer: Freezer,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + syncMs;
  for (const { fd, mount } of targets) {
    signal.throwIfAborted();
    try {
      await withDeadline(freezer.sync(fd), Math.max(1, end - performance.now()));
    } catch (error) {
      throw new CodedError("quiesce", `cannot write out ${mount.mountPoint}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

/**
 * Freezes all of them, in their order, or rejects with NotFrozen and has thawed those that were. Those whose kind cannot be
 * frozen are left, unless the host has named them.
 */
export async function freezeAll(
  freezer: Freezer,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const end = performance.now() + freezeMs;
  for (const target of targets) {
    const freezing = signal.aborted
      ? Promise.reject(signal.reason as Error)
      : freezer.freeze(target.fd).then(() => undefined);
    try {
      await withDeadline(freezing, Math.max(1, end - performance.now()), () => new Late());
      outcomes.push({ target, frozen: true });
    } catch (error) {
      const reason = whyNot(error);
      outcomes.push({ target, frozen: false, error: reason });
      if (isErrno(error, "EOPNOTSUPP", "ENOTSUP", "ENOTTY") && !target.isNamed) continue;
      const settled =
        error instanceof Late
          ? freezing.then(
              () => freezer.thaw(target.fd),
              () => undefined, // it is not frozen
            )
          : Promise.resolve();
      await rollBack(freezer, outcomes);
      const { mountPoint } = target.mount;
      if (signal.aborted) throw new NotFrozen("quiesce", "freezing was given up", outcomes, settled);
      throw new NotFrozen("quiesce", `cannot freeze ${mountPoint}: ${reason}`, outcomes, settled, {
        cause: error,
      });
    }
  }
  return outcomes;
}

class Late extends Error {
  constructor() {
    super(`it did not come to rest within ${freezeMs / 1000} s`);
  }
}

async function rollBack(freezer: Freezer, outcomes: readonly Outcome[]): Promise<void> {
  for (const outcome of [...outcomes].reverse()) {
    if (!outcome.frozen) continue;
    const { error } = await thawOne(freezer, outcome.target);
    outcome.frozen = error !== undefined;
    outcome.error = error ?? "thawed again, as another could not be frozen";
  }
}

/** What came of thawing one. */
export interface Thawed {
  target: Target;
  /** It may still be frozen. */
  error?: string;
  /** Somebody else had thawed it. */
  early: boolean;
}

/** Thaws them, the last frozen first. Never rejects. */
export async function thawAll(freezer: Freezer, targets: readonly Target[]): Promise<Thawed[]> {
  const results: Thawed[] = [];
  for (const target of [...targets].reverse()) results.push(await thawOne(freezer, target));
  return results;
}

async function thawOne(freezer: Freezer, target: Target): Promise<Thawed> {
  try {
    await withDeadline(freezer.thaw(target.fd), thawMs);
    return { target, early: false };
  } catch (error) {
    if (isErrno(error, "EINVAL")) return { target, early: true };
    return { target, early: false, error: (error as Error).message };
  }
}

function whyNot(error: unknown): string {
  if (isErrno(error, "EBUSY")) return "it is frozen already, by somebody else (EBUSY)";
  if (isErrno(error, "EOPNOTSUPP", "ENOTSUP", "ENOTTY"))
    return "its kind cannot be frozen; it was written out";
  if (isErrno(error, "EPERM")) return "not permitted (EPERM): the agent needs CAP_SYS_ADMIN";
  return error instanceof Error ? error.message : String(error);
}
