import { checkAnswer } from "../commands/answer.ts";
import { whole } from "../commands/options.ts";
import type { Session } from "../session.ts";
import type { FileOptions } from "./options.ts";

/** How long the guest takes is up to the size of what it copies or removes: it ends when the caller's signal says so. */
const noLimit = { timeoutSeconds: Infinity, cancel: true };

/** See Files.mkdir(). */
export async function mkdir(
  session: Session,
  path: string,
  {
    recursive = false,
    mode,
    signal,
  }: FileOptions & { recursive?: boolean | undefined; mode?: number | undefined },
): Promise<void> {
  const request = { path, createParents: recursive, mode: modeField(mode) };
  checkAnswer(await session.request("createDirectory", request, { signal, cancel: true }));
}

/** See Files.remove(). */
export async function remove(
  session: Session,
  path: string,
  { recursive = false, signal }: FileOptions & { recursive?: boolean | undefined },
): Promise<void> {
  checkAnswer(await session.request("fileDelete", { path, recursive }, { signal, ...noLimit }));
}

/** See Files.rename(). */
export async function rename(
  session: Session,
  from: string,
  to: string,
  { replace = true, signal }: FileOptions & { replace?: boolean | undefined },
): Promise<void> {
  session.require("files", "rename");
  checkAnswer(
    await session.request("fileRename", { from, to, noReplace: !replace }, { signal, cancel: true }),
  );
}

/** See Files.symlink(). */
export async function symlink(
  session: Session,
  target: string,
  path: string,
  { replace = false, signal }: FileOptions & { replace?: boolean | undefined },
): Promise<void> {
  session.require("files", "symlink");
  checkAnswer(await session.request("createSymlink", { path, target, replace }, { signal, cancel: true }));
}

/** See Files.copy(). */
export async function copy(
  session: Session,
  from: string,
  to: string,
  {
    replace = true,
    createParents = false,
    signal,
  }: FileOptions & { replace?: boolean | undefined; createParents?: boolean | undefined },
): Promise<{ bytes: number }> {
  session.require("files", "copy");
  const request = { from, to, noReplace: !replace, createParents };
  const response = await session.request("fileCopy", request, { signal, ...noLimit });
  checkAnswer(response);
  return { bytes: response.bytes };
}

/** As requests have it: 0 for none. Throws RangeError. */
export function modeField(mode: number | undefined): number {
  return mode === undefined ? 0 : whole("mode", mode, 1, 0o7777);
}
