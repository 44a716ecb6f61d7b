import type { FileInfo } from "../../host/index.ts";
import { HostError } from "../../host/errors.ts";
import { codeText } from "../../wire/errors.ts";
import { type Guest, hasAgentCode, onPath } from "./guest.ts";
import { endsAsFolder, withoutEnd } from "./guest-path.ts";
import { lastName, within } from "./place.ts";

/** What is at a path in the guest, behind all links; undefined when there is nothing. */
export async function statIfThere(
  { files, signal }: Pick<Guest, "files" | "signal">,
  path: string,
): Promise<FileInfo | undefined> {
  try {
    return await files.stat(path, { signal });
  } catch (error) {
    if (hasAgentCode(error, codeText("fileNotFound"), codeText("noParentDirectory"))) return undefined;
    throw error;
  }
}

/** What is at the target of copies, on either side. */
export interface Target {
  path: string;
  found: "folder" | "other" | "nothing";
}

/** Rejects as Files.stat() does. */
export async function guestTarget(guest: Guest, path: string): Promise<Target> {
  const info = await onPath(path, () => statIfThere(guest, path));
  return { path, found: info === undefined ? "nothing" : info.kind === "directory" ? "folder" : "other" };
}

/** Throws a HostError unless the target can be that of so many sources. */
export function checkTarget({ path, found }: Target, sources: number): void {
  if (found === "folder" || sources === 1) return;
  throw new HostError("local-file", `${path} is not a folder, but that of ${sources} sources must be one`);
}

/** Where a source gets: into the target if that is a folder, else its very path. Throws a HostError. */
export function destination({ path, found }: Target, source: string, kind: "folder" | "file"): string {
  if (found === "folder") return within(path, lastName(source));
  if (kind === "file" && endsAsFolder(path)) {
    throw new HostError("local-file", `${path} is ${found === "nothing" ? "not there" : "not a folder"}`);
  }
  return withoutEnd(path);
}

/** For --no-clobber, where a whole folder is copied. */
export function thereAlready(path: string): HostError {
  return new HostError("local-file", `${path} is there already, and --no-clobber was given`);
}
