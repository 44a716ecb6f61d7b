import { constants } from "node:fs";
import { CodedError } from "../../wire/errors.ts";
import { isErrno } from "../files/file-error.ts";
import type { Folder } from "../files/folder.ts";
import { close, writeAll } from "../files/io.ts";
import { system } from "../files/system/index.ts";
import type { Attributes } from "./attributes.ts";

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/**
 * Makes something by the name `temporary` with `make`, then gives it its name, which replaces a file or link there. What
 * has been made is removed after an error.
 */
async function placed(
  folder: Folder,
  { name, temporary }: { name: string; temporary: string },
  make: () => Promise<void>,
): Promise<void> {
  try {
    await make();
    await folder.rename(temporary, name);
  } catch (error) {
    // There is nothing when it could not be made; and what went wrong is `error`.
    await folder.unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** A name for it, and one until it is whole. */
export interface Names {
  name: string;
  temporary: string;
}

/** Makes a file of any size. */
export async function placeFile(
  folder: Folder,
  names: Names,
  { mode, owner, modified }: Attributes,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  await placed(folder, names, async () => {
    const fd = await folder.open(names.temporary, newFile, 0o600);
    try {
      for await (const chunk of content) await writeAll(fd, chunk, null);
      if (owner) await system.fchown(fd, owner.uid, owner.gid);
      await system.fchmod(fd, mode); // behind fchown, which takes setuid away
      if (modified) await system.setModified(fd, modified);
    } finally {
      close(fd);
    }
  });
}

export async function placeSymlink(
  folder: Folder,
  names: Names,
  target: string,
  { owner, modified }: Attributes,
): Promise<void> {
  const { temporary } = names;
  await placed(folder, names, async () => {
    await system.symlink(target, folder, temporary);
    if (owner) await system.lchown(folder, temporary, owner.uid, owner.gid);
    if (modified) await system.lsetModified(folder, temporary, modified);
  });
}

/** Another name for the regular file `from.name`; CodedError notAFile for anything else. */
export async function placeLink(
  folder: Folder,
  names: Names,
  from: { folder: Folder; name: string },
): Promise<void> {
  const pathFd = await system.openEntry(from.folder, from.name);
  try {
    const known = await system.fstat(pathFd);
    if (!known.isFile()) throw new CodedError("notAFile", `${from.name} is no regular file`);
    await placed(folder, names, async () => {
      await system.link(from.folder, from.name, folder, names.temporary);
      const made = await folder.lstat(names.temporary);
      if (made.dev !== known.dev || made.ino !== known.ino) {
        throw new CodedError("fileChanged", `${from.name} has been replaced meanwhile`);
      }
    });
  } finally {
    close(pathFd);
  }
  // rename(2) leaves both names when they are the same file's already.
  await folder.unlink(names.temporary).catch((error: unknown) => {
    if (!isErrno(error, "ENOENT")) throw error;
  });
}
