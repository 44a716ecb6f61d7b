import { bytes, duration } from "../ui/units.ts";
import type { Outcome } from "./copy.ts";

/** What a command line of `cp` has done, as --json has it and as a line for people. */
export function copyReport(
  copies: readonly Outcome[],
  elapsedMs: number,
): { forPrograms: object; text: string } {
  const done = copies.flatMap((outcome) => ("error" in outcome ? [] : [outcome]));
  const sum = (amountOf: (copied: (typeof done)[number]) => number | undefined): number =>
    done.reduce((total, copied) => total + (amountOf(copied) ?? 0), 0);
  const byteCount = sum((copied) => copied.bytes);
  const what = [
    counted(
      sum((copied) => copied.files),
      "file",
      "files",
    ),
    counted(
      sum((copied) => copied.entries),
      "file or folder",
      "files and folders",
    ),
  ].filter((text) => text !== "");
  const newBytes = byteCount - sum((copied) => copied.resumedAt);
  return {
    forPrograms: { copies, bytes: byteCount, durationMs: Math.round(elapsedMs) },
    text: `${what.join(", ") || "nothing"}, ${bytes(byteCount)} in ${took(elapsedMs)}${speed(newBytes, elapsedMs)}`,
  };
}

function counted(count: number, one: string, many: string): string {
  return count === 0 ? "" : `${count} ${count === 1 ? one : many}`;
}

function took(ms: number): string {
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : duration(ms / 1000);
}

/** Of little, the speed says nothing. */
function speed(byteCount: number, ms: number): string {
  return byteCount === 0 ? "" : ` (${bytes((byteCount / ms) * 1000)}/s)`;
}
