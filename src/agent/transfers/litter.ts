import { isErrno } from "../files/file-error.ts";
import type { Folder } from "../files/folder.ts";
import { system } from "../files/system/index.ts";

/** Deeper folders are not looked into: nobody's tree is so deep, and each level holds a descriptor. */
const deepest = 64;

/** Removes the unfinished files of a tree, which have such names, below a folder. No link is followed. */
export async function removeTemporaries(folder: Folder, prefix: string, depth = 0): Promise<void> {
  for await (const { name } of system.entries(folder)) {
    const stats = await folder.lstat(name).catch(ignoreAbsence);
    if (stats?.isDirectory()) {
      const inner = depth < deepest ? await folder.enter(name).catch(ignoreAbsence) : undefined;
      await (inner &&
        removeTemporaries(inner, prefix, depth + 1).finally(() => {
          inner.close();
        }));
    } else if (stats && name.startsWith(prefix)) {
      await folder.unlink(name).catch(ignoreAbsence);
    }
  }
}

/** Gone meanwhile, or something else now. */
export function ignoreAbsence(error: unknown): undefined {
  if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR") || isErrno(error, "ELOOP")) return undefined;
  throw error;
}
