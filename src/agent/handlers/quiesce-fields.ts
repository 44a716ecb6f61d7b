import { timestamp } from "../../wire/envelope.ts";
import type { Response } from "../../wire/operations.ts";
import type { HookResult } from "../quiesce/hooks.ts";
import type { FileSystemLine } from "../quiesce/refused.ts";

type QuiesceResponse = Response<"quiesce">;

export function frozenFields(lines: readonly FileSystemLine[]): NonNullable<QuiesceResponse["frozen"]> {
  return lines.map(({ mount: { mountPoint, source, type }, frozen, error }) => ({
    mountPoint,
    device: source,
    filesystem: type,
    frozen,
    error,
  }));
}

export function hookFields(results: readonly HookResult[]): NonNullable<QuiesceResponse["hooks"]> {
  return results.map(({ hook, ...rest }) => ({ ...rest, script: hook.path }));
}

export function time(date: Date): ReturnType<typeof timestamp> {
  return timestamp(date.getTime());
}

/** What file systems an audit record is about. */
export function auditTarget(mountPoints: readonly string[]): string {
  return mountPoints.length === 0 ? "all file systems" : mountPoints.join(" ");
}
