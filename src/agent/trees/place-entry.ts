import { constants } from "node:fs";
import { lchown, link, lstat, rename, symlink, unlink } from "node:fs/promises";
import { addon } from "../../native/addon.ts";
import { CodedError } from "../../wire/errors.ts";
import { isErrno } from "../files/file-error.ts";
import type { Folder } from "../files/folder.ts";
import { close, fchmod, fchown, fstat, open, writeAll } from "../files/io.ts";
import { openPath, pathOf } from "../files/folder.ts";
import type { Attributes } from "./attributes.ts";

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Makes something by the name `temporary` with `make`, then gives it its name, which replaces a file or link there. What
 * has been made is removed after an error.
 */
async function placed(
  folder: Folder,
  { name, temporary }: { name: string; temporary: string },
  make: (place: string) => Promise<void>,
): Promise<void> {
  const place = folder.at(temporary);
  try {
    await make(place);
    await rename(place, folder.at(name));
  } catch (error) {
    // There is nothing when it could not be made; and what went wrong is `error`.
    await unlink(place).catch(() => undefined);
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
  await placed(folder, names, async (place) => {
    const fd = await open(place, newFile, 0o600);
    try {
      for await (const chunk of content) await writeAll(fd, chunk, null);
      if (owner) await fchown(fd, owner.uid, owner.gid);
      await fchmod(fd, mode); // behind fchown, which takes setuid away
      if (modified) await addon.setModified(pathOf(fd), modified, true);
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
  await placed(folder, names, async (place) => {
    await symlink(target, place);
    if (owner) await lchown(place, owner.uid, owner.gid);
    if (modified) await addon.setModified(place, modified, false);
  });
}

/** Another name for the regular file `from.name`; CodedError notAFile for anything else. */
export async function placeLink(
  folder: Folder,
  names: Names,
  from: { folder: Folder; name: string },
): Promise<void> {
  const pathFd = await openPath(from.folder.at(from.name), { follow: false });
  try {
    const known = await fstat(pathFd);
    if (!known.isFile()) throw new CodedError("notAFile", `${from.name} is no regular file`);
    await placed(folder, names, async (place) => {
      await link(from.folder.at(from.name), place); // link(2) does not follow a link at the end
      const made = await lstat(place, { bigint: true });
      if (made.dev !== known.dev || made.ino !== known.ino) {
        throw new CodedError("fileChanged", `${from.name} has been replaced meanwhile`);
      }
    });
  } finally {
    close(pathFd);
  }
  // rename(2) leaves both names when they are the same file's already.
  await unlink(folder.at(names.temporary)).catch((error: unknown) => {
    if (!isErrno(error, "ENOENT")) throw error;
  });
}
