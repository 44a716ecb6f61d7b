import { type FrozenFileSystem, FreezeError, type HookResult } from "../../host/index.ts";
import type { Context } from "../context.ts";
import { printable, printableText } from "../ui/printable.ts";
import { table } from "../ui/table.ts";

/** What is frozen, and what is not and why. */
export function showFileSystems(context: Context, fileSystems: readonly FrozenFileSystem[]): void {
  const lines = table(
    ["MOUNT", "TYPE", "DEVICE", "STATE"].map((title) => ({ title })),
    fileSystems.map(({ mountPoint, filesystem, device, frozen, error }) => [
      printable(mountPoint),
      printable(filesystem),
      printable(device),
      frozen ? "frozen" : printable(`not frozen: ${error}`),
    ]),
  );
  for (const line of lines) context.print(line);
}

/** Says beside the output which hooks failed, and what they printed. */
export function noteFailedHooks(context: Context, hooks: readonly HookResult[]): void {
  for (const { error, output } of hooks) {
    if (error === "") continue;
    context.note(printableText(error));
    // Short ones are in the error.
    if (output.trim() !== "" && !error.includes(output.trim())) context.note(printableText(output.trimEnd()));
  }
}

/** Says what an error of freezing knows besides its message. */
export function noteFreezeError(context: Context, error: unknown): void {
  if (!(error instanceof FreezeError)) return;
  for (const { mountPoint, frozen, error: why } of error.fileSystems) {
    if (!frozen && why !== "") context.note(`${printable(mountPoint)}: ${printable(why)}`);
  }
}

export function timeOf(date: Date | null): string {
  return date === null ? "" : date.toLocaleString("sv-SE");
}
