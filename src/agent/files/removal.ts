import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { fileError, isErrno } from "./file-error.ts";
import type { Task } from "./files.ts";
import { type Folder, openParent } from "./folder.ts";
import { close } from "./io.ts";
import { system } from "./system/index.ts";

/**
 * Removes a file, a link or an empty folder; with `recursive` a folder with all that is in it, in bounded memory and with
 * a bounded number of descriptors, however deep and large it is. No link is followed, and a mount point in it ends it
 * with an error that names it, and is left alone. Throws CodedError deleteFailed, writeBlocked, the task's reason when
 * it is cancelled, and the system's error.
 */
export async function remove(
  place: string,
  recursive: boolean,
  policy: PathPolicy,
  task: Task,
): Promise<void> {
  if (place === path.parse(place).root)
    throw new CodedError("deleteFailed", "the root folder cannot be deleted");
  const { folder, name } = await openParent(place, {
    create: false,
    check: (real) => policy.checkWrite(real),
  });
  try {
    const real = await system.placeOf(folder, name);
    policy.checkRemoval(real);
    if (system.isSystems(real))
      throw new CodedError("deleteFailed", `${place} has the system in it; it is not deleted`);
    if (await unlinked(folder, name)) {
      // It was no folder.
    } else if (recursive) {
      await removeTree(folder, name, place, task);
    } else {
      await system.rmdir(folder, name).catch((error: unknown) => {
        if (!isErrno(error, "ENOTEMPTY")) throw error;
        throw new CodedError("deleteFailed", `cannot delete ${place}: the folder is not empty (ENOTEMPTY)`);
      });
    }
    await folder.sync();
  } finally {
    folder.close();
  }
}

/** False when it is a folder: Linux says EISDIR then, some file systems EPERM. */
async function unlinked(folder: Folder, name: string): Promise<boolean> {
  try {
    await folder.unlink(name);
    return true;
  } catch (error) {
    if (isErrno(error, "EISDIR")) return false;
    if (!isErrno(error, "EPERM")) throw error;
    const fd = await system.enter(folder, name).catch(() => undefined);
    if (fd === undefined) throw error;
    close(fd);
    return false;
  }
}

async function removeTree(folder: Folder, name: string, place: string, task: Task): Promise<void> {
  const removal = system.removeTree(folder, name);
  try {
    while (!(await removal.step())) {
      task.signal.throwIfAborted();
      task.alive();
    }
  } catch (error) {
    const { path: inner = "" } = error as NodeJS.ErrnoException;
    throw fileError(error, `delete ${path.join(place, inner)}`, "deleteFailed");
  } finally {
    removal.close();
  }
}
