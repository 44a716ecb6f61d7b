import { CodedError } from "../../wire/errors.ts";
import { type Outcome, NotFrozen } from "./freezing.ts";
import type { HookResult } from "./hooks.ts";
import type { Mount } from "./mountinfo.ts";
import type { Skipped } from "./targets.ts";

/** A file system, as replies have it. */
export interface FileSystemLine {
  mount: Mount;
  frozen: boolean;
  /** Empty, or why it is not. */
  error: string;
}

/** What could not be done, with all that a reply tells besides. */
export class Refused extends CodedError {
  lines: readonly FileSystemLine[] = [];
  hooks: readonly HookResult[] = [];
  thawed: readonly string[] = [];
  frozenMs = 0;

  /** Of a freeze. */
  static from(cause: unknown, skipped: readonly Skipped[], hooks: readonly HookResult[]): Refused {
    const isCoded = cause instanceof CodedError;
    const refused = new Refused(
      isCoded ? cause.code : "quiesce",
      isCoded ? cause.message : cause instanceof Error ? cause.message : String(cause),
      { cause },
    );
    refused.lines = outcomeLines(cause instanceof NotFrozen ? cause.outcomes : [], skipped);
    refused.hooks = hooks;
    return refused;
  }

  /** Of a thaw, of which the rest was done. */
  static afterThaw(
    { code, message }: CodedError,
    done: { thawed: readonly string[]; frozenMs: number; hooks: readonly HookResult[] },
  ): Refused {
    return Object.assign(new Refused(code, message), done);
  }
}

export function outcomeLines(outcomes: readonly Outcome[], skipped: readonly Skipped[]): FileSystemLine[] {
  return [
    ...outcomes.map(({ target: { mount }, frozen, error = "" }) => ({ mount, frozen, error })),
    ...skipped.map(({ mount, reason }) => ({ mount, frozen: false, error: reason })),
  ];
}
