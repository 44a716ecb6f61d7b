import path from "node:path";
import { addon } from "../../../native/addon.ts";
import { CodedError } from "../../../wire/errors.ts";
import { isErrno } from "../file-error.ts";
import { close } from "../io.ts";
import { absoluteWindowsPath, problemOfName } from "../path-win32.ts";
import { openPath, toLook } from "./win32-open.ts";
import { statsOf } from "./win32-stats.ts";
import type { OpenFolder } from "./types.ts";

/** Of Windows: ERROR_PRIVILEGE_NOT_HELD */
const notPrivileged = 1314;

/** What a link says, as Windows keeps it. */
export interface Target {
  /** What is resolved. */
  target: string;
  /** What is shown. */
  print: string;
  isRelative: boolean;
}

/** Throws CodedError pathTraversal or invalidMessage for what leads to no drive: it would lead whoever follows it there. */
export function targetOf(text: string): Target {
  const slashed = text.replaceAll("/", "\\");
  if (/^[a-z]:|^\\/i.test(slashed)) {
    const absolute = absoluteWindowsPath(slashed);
    return { target: `\\??\\${absolute}`, print: absolute, isRelative: false };
  }
  for (const part of slashed.split("\\")) {
    if (part === "" || part === "." || part === "..") continue;
    const problem = problemOfName(part);
    if (problem !== undefined)
      throw new CodedError("invalidMessage", `a link cannot lead to ${text}: ${part}: ${problem}`);
  }
  return { target: slashed, print: slashed, isRelative: true };
}

/** Makes a symbolic link. Windows has two kinds: what leads to a folder now is one for folders. */
export async function makeSymlink(text: string, folder: OpenFolder, name: string): Promise<void> {
  const { target, print, isRelative } = targetOf(text);
  const toFolder = await isFolder(isRelative ? path.join(folder.realPath, target) : print);
  try {
    await addon.symlinkIn(folder.fd, name, target, print, isRelative, toFolder);
  } catch (error) {
    const { windowsError } = error as { windowsError?: number };
    if (windowsError === notPrivileged) {
      throw new CodedError(
        "fileDenied",
        `cannot make the link ${name}: the agent's user lacks SeCreateSymbolicLinkPrivilege`,
        { cause: error },
      );
    }
    if (!isErrno(error, "ENOTSUP")) throw error;
    throw new CodedError(
      "fileDenied",
      `cannot make the link ${name}: the file system has no symbolic links`,
      {
        cause: error,
      },
    );
  }
}

async function isFolder(place: string): Promise<boolean> {
  let fd: number;
  try {
    fd = await openPath(place, toLook);
  } catch {
    return false; // there is nothing yet, or nothing that may be looked at
  }
  try {
    return (await statsOf(fd))[0]?.isDirectory() === true;
  } finally {
    close(fd);
  }
}
