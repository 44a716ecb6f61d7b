import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import path from "node:path";
import { HostError } from "../errors.ts";
import { isErrno } from "./local-error.ts";
import { type LocalWork, local } from "./local-work.ts";

/** What an entry has besides its contents. Of the mode only the permission bits are taken. */
export interface EntryFacts {
  mode: number;
  /** Seconds since 1970. */
  modifiedAt: number;
}

export const openFreshFlags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Not to be read by others before it has the mode that it is to have. */
export const freshMode = 0o600;

/** A name beside `place` that nobody has. */
export function asideOf(place: string): string {
  return path.join(path.dirname(place), `.limiquantix-${randomBytes(9).toString("base64url")}.part`);
}

/** Makes a file with these contents. What was at `place` is replaced when they are whole. */
export function* placeFile(
  place: string,
  { mode, modifiedAt }: EntryFacts,
  content: Buffer,
): LocalWork<void> {
  const { fd, at } = yield* openFresh(place);
  let isOpen = true;
  try {
    yield* local.writeAll(fd, content);
    yield* local.fchmod(fd, mode & 0o777);
    yield* local.futimes(fd, new Date(), modifiedAt);
    isOpen = false;
    yield* local.close(fd);
    if (at !== place) yield* local.rename(at, place);
  } catch (error) {
    try {
      if (isOpen) yield* local.close(fd);
    } finally {
      yield* local.remove(at);
    }
    throw error;
  }
}

/** A new file at `place`, or, when something is there, beside it. */
function* openFresh(place: string): LocalWork<{ fd: number; at: string }> {
  try {
    return { fd: yield* local.open(place, openFreshFlags, freshMode), at: place };
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    const at = asideOf(place);
    return { fd: yield* local.open(at, openFreshFlags, freshMode), at };
  }
}

/** Makes a link that says `target`, whatever that is. A file or link that was there is replaced. */
export function* placeLink(place: string, target: string, modifiedAt: number): LocalWork<void> {
  const aside = asideOf(place);
  yield* local.symlink(target, aside);
  try {
    yield* local.lutimes(aside, new Date(), modifiedAt);
    yield* local.rename(aside, place);
  } catch (error) {
    yield* local.remove(aside);
    throw error;
  }
}

/** False when there is something already. */
export function* makeFolder(place: string, mode?: number): LocalWork<boolean> {
  try {
    yield* local.mkdir(place, mode);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
}

/** Gives a folder that was made here its mode and time. */
export function* finishFolder(place: string, { mode, modifiedAt }: EntryFacts): LocalWork<void> {
  requireFolder(place, yield* local.lstat(place)); // the other two follow links
  yield* local.chmod(place, mode & 0o777);
  yield* local.utimes(place, new Date(), modifiedAt);
}

/** Throws a HostError when it is no folder, or a link to one. */
export function requireFolder(place: string, stats: { isDirectory(): boolean }): void {
  if (stats.isDirectory()) return;
  throw new HostError("local-file", `${place} is in the way: it is no folder, and links are not followed`);
}
