import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { isErrno } from "./file-error.ts";
import { openParent } from "./folder.ts";
import { system } from "./system/index.ts";
import { temporaryName } from "./temporary.ts";
import { noParent } from "./writing.ts";

/** PATH_MAX of Linux without the NUL. */
const longestTargetBytes = 4095;

/**
 * Makes a symbolic link that says `target`, in place of a file or link with `replace`. What it says is not looked at: what
 * the policy denies is denied through it too. Throws CodedError invalidMessage, fileExists, noParentDirectory,
 * writeBlocked, and the system's error.
 */
export async function makeLink(
  place: string,
  target: string,
  replace: boolean,
  policy: PathPolicy,
): Promise<void> {
  if (target === "" || target.includes("\0") || Buffer.byteLength(target) > longestTargetBytes) {
    throw new CodedError("invalidMessage", `a link's target has 1 to ${longestTargetBytes} bytes and no NUL`);
  }
  const { folder, name } = await openParent(place, {
    create: false,
    check: (real) => policy.checkWrite(real),
  }).catch((error: unknown) => {
    throw isErrno(error, "ENOENT") ? noParent(`make the link ${place}`, place, error) : error;
  });
  try {
    try {
      await system.symlink(target, folder, name);
    } catch (error) {
      if (!replace || !isErrno(error, "EEXIST")) throw error;
      if ((await folder.lstat(name)).isDirectory()) {
        throw new CodedError("fileExists", `${place} is a folder; a link does not take its place`);
      }
      const temporary = temporaryName();
      await system.symlink(target, folder, temporary);
      await folder.rename(temporary, name).catch(async (cause: unknown) => {
        await folder.unlink(temporary);
        throw cause;
      });
    }
    await folder.sync();
  } finally {
    folder.close();
  }
}
