import { constants } from "node:fs";
import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { isErrno } from "./file-error.ts";
import { openParent } from "./folder.ts";
import { close } from "./io.ts";
import { type FileStats, system } from "./system/index.ts";

/** A regular file that is open; who has it closes `fd`. */
export interface OpenFile {
  readonly fd: number;
  /** Without links. */
  readonly place: string;
  /** As it was when it was opened. */
  readonly stats: FileStats;
  /** It was not there before. */
  readonly isNew: boolean;
}

/** O_NONBLOCK: some files of /proc would wait for something to happen. */
const always = constants.O_NONBLOCK | constants.O_NOCTTY;

/** Others may put something there, or take it away, between two looks; not for ever. */
export const mostTries = 20;

/** Follows links. Rejects with the system's error, or a CodedError: notAFile, readBlocked. */
export async function openForReading(file: string, policy: PathPolicy): Promise<OpenFile> {
  return await openExisting(file, constants.O_RDONLY, (place, stats) => policy.checkRead(place, stats));
}

export interface WriteOptions {
  createParents: boolean;
  /** Permission bits of a new file while it is written. */
  createMode: number;
}

/** Follows links; a file that is not there is made. Rejects as openForReading(), and with writeBlocked. */
export async function openForWriting(
  file: string,
  policy: PathPolicy,
  { createParents, createMode }: WriteOptions,
): Promise<OpenFile> {
  for (let tries = 0; tries < mostTries; tries++) {
    try {
      return await openExisting(file, constants.O_WRONLY, (place) => policy.checkWrite(place));
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
    const { folder, name } = await openParent(file, {
      create: createParents,
      check: (place) => policy.checkWrite(place),
    });
    try {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | always;
      const fd = await folder.open(name, flags, createMode);
      return await closedOnError(fd, async () => ({
        fd,
        place: folder.placeOf(name),
        stats: await system.fstat(fd),
        isNew: true,
      }));
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
      const facts = await folder.lstat(name).catch(() => undefined);
      if (facts?.isSymbolicLink()) {
        const isDangling = await system
          .openPath(file, { follow: true })
          .then(close, (cause: unknown) => isErrno(cause, "ENOENT"));
        if (isDangling === true) throw new CodedError("fileNotFound", `${file} is a link that leads nowhere`);
      }
    } finally {
      folder.close();
    }
  }
  throw new CodedError("fileExists", `${file} comes and goes; somebody else is at work there`);
}

async function openExisting(
  file: string,
  access: number,
  check: (place: string, stats: FileStats) => Promise<void>,
): Promise<OpenFile> {
  const pathFd = await system.openPath(file, { follow: true });
  try {
    const stats = await system.fstat(pathFd);
    requireFile(file, stats);
    const place = await system.realPathOf(pathFd);
    await check(place, stats);
    return { fd: await system.reopen(pathFd, access | always), place, stats, isNew: false };
  } finally {
    close(pathFd);
  }
}

/** Throws CodedError notAFile for what is no regular file: a FIFO or a device would wait, or act. */
export function requireFile(file: string, stats: FileStats): void {
  if (stats.isFile()) return;
  const what = stats.isDirectory()
    ? "a folder"
    : stats.isFIFO()
      ? "a FIFO"
      : stats.isSocket()
        ? "a socket"
        : "a device";
  throw new CodedError("notAFile", `${file} is ${what}, not a regular file`);
}

async function closedOnError<T>(fd: number, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    close(fd);
    throw error;
  }
}
