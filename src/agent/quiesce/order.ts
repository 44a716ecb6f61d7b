import { type FileSystem, nameOf } from "./file-systems.ts";

/**
 * The order in which to freeze: what stands on another file system, as an image file does, before that one, or it could not
 * be written out any more; else the last mounted first, and the root last. They thaw in reverse.
 */
export function freezeOrder(
  fileSystems: readonly FileSystem[],
  standsOn: ReadonlyMap<FileSystem, readonly FileSystem[]>,
): FileSystem[] {
  const order = new Set<FileSystem>();
  const visited = new Set<FileSystem>();
  const place = (fileSystem: FileSystem): void => {
    if (visited.has(fileSystem)) return;
    visited.add(fileSystem);
    for (const other of fileSystems) {
      if (standsOn.get(other)?.includes(fileSystem)) place(other);
    }
    order.add(fileSystem);
  };
  const isRoot = (fileSystem: FileSystem): boolean => nameOf(fileSystem) === "/";
  const lastFirst = [...fileSystems].reverse();
  for (const fileSystem of lastFirst) if (!isRoot(fileSystem)) place(fileSystem);
  for (const fileSystem of lastFirst) place(fileSystem);
  return [...order];
}
