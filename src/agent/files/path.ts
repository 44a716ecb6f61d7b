import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import { absoluteWindowsPath, isWithinOnWindows, longestNameUnits, problemOfName } from "./path-win32.ts";

/** PATH_MAX and NAME_MAX of Linux, in bytes, without the NUL. */
export const longestPathBytes = 4095;
export const longestNameBytes = process.platform === "win32" ? 3 * longestNameUnits : 255;

const isWindows = process.platform === "win32";

/**
 * A path of the host without double slashes, "." and a slash at its end. Throws CodedError: pathTraversal for one that is
 * not absolute or has "..", invalidMessage for a NUL byte, nameTooLong.
 */
function absolutePosixPath(text: string): string {
  if (text.includes("\0")) throw new CodedError("invalidMessage", "a path cannot have a NUL byte");
  if (!path.isAbsolute(text)) {
    throw new CodedError(
      "pathTraversal",
      text === "" ? "no path was given" : `not an absolute path: ${text}`,
    );
  }
  if (text.split(path.sep).includes("..")) {
    throw new CodedError("pathTraversal", `".." is not taken in a path: ${text}`);
  }
  const normal = path.normalize(text);
  const names = normal.split(path.sep);
  if (
    Buffer.byteLength(normal) > longestPathBytes ||
    names.some((name) => Buffer.byteLength(name) > longestNameBytes)
  ) {
    throw new CodedError(
      "nameTooLong",
      `longer than a path or a name in it can be: ${normal.slice(0, 100)}…`,
    );
  }
  return normal.length > 1 && normal.endsWith(path.sep) ? normal.slice(0, -1) : normal;
}

/** A path of the host as this system writes it; see each system's. */
export const absolutePath = isWindows ? absoluteWindowsPath : absolutePosixPath;

/** Whether `candidate` is `folder` or below it, by whole components: /tmpfoo is not below /tmp. Both are normal. */
export const isWithin = isWindows ? isWithinOnWindows : isWithinOnPosix;

function isWithinOnPosix(candidate: string, folder: string): boolean {
  return candidate === folder || candidate.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}

/** Why nothing here can have this name, in words; undefined when it can. It is no path. */
export function nameProblem(name: string): string | undefined {
  return isWindows ? problemOfName(name) : undefined;
}
