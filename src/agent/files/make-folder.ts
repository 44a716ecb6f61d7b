import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { isErrno } from "./file-error.ts";
import { openParent } from "./folder.ts";
import { system } from "./system/index.ts";
import { noParent } from "./writing.ts";

/** Nobody else enters it before it has its mode. */
const unfinishedMode = 0o700;

/**
 * Makes a folder with exactly this mode, whatever the umask. One that is there is an error, unless missing ones above are
 * to be made too: then it is left as it is. Throws CodedError fileExists, noParentDirectory, writeBlocked.
 */
export async function makeFolder(
  place: string,
  { createParents, mode }: { createParents: boolean; mode: number },
  policy: PathPolicy,
): Promise<void> {
  const { folder, name } = await openParent(place, {
    create: createParents,
    check: (real) => policy.checkWrite(real),
  }).catch((error: unknown) => {
    throw isErrno(error, "ENOENT") ? noParent(`make the folder ${place}`, place, error) : error;
  });
  try {
    try {
      await system.mkdir(folder, name, unfinishedMode);
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
      const isFolder = await system.stat(folder, name).then(
        (there) => there.isDirectory(),
        () => false, // a link that leads nowhere
      );
      if (createParents && isFolder) return;
      const what = isFolder ? "is there already" : "is there already, and is no folder";
      throw new CodedError("fileExists", `${place} ${what} (EEXIST)`, { cause: error as Error });
    }
    const made = await folder.enter(name);
    try {
      await system.chmod(made.fd, mode);
    } finally {
      made.close();
    }
    await folder.sync();
  } finally {
    folder.close();
  }
}
