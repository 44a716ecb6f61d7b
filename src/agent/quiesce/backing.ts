import { readFile, readdir, realpath } from "node:fs/promises";
import path from "node:path";
import { isErrno } from "../files/file-error.ts";
import { type FileSystem, keyOf } from "./file-systems.ts";
import { type Mount, mountAt } from "./mountinfo.ts";

/** Layers of devices: loop, partition, device mapper, RAID. */
const deepest = 16;

/** Which of the file systems each of them has image files on (loop devices, also below device mapper and RAID). */
export async function standingOn(
  fileSystems: readonly FileSystem[],
  mounts: readonly Mount[],
  sysFolder: string,
): Promise<Map<FileSystem, FileSystem[]>> {
  const byKey = new Map(fileSystems.map((each) => [each.key, each]));
  const result = new Map<FileSystem, FileSystem[]>();
  for (const fileSystem of fileSystems) {
    const below = (await imagesOf(fileSystem.mounts[0], sysFolder)).flatMap((image) => {
      const mount = mountAt(mounts, image);
      const found = mount && byKey.get(keyOf(mount));
      return found && found !== fileSystem ? [found] : [];
    });
    if (below.length > 0) result.set(fileSystem, below);
  }
  return result;
}

/** The image files that the device of a mount is made of. */
async function imagesOf({ device, source }: Mount, sysFolder: string): Promise<string[]> {
  // Btrfs has no device number of its own; what it is mounted from has.
  const place = device.startsWith("0:")
    ? source.startsWith("/dev/") && path.join(sysFolder, "class/block", path.basename(source))
    : path.join(sysFolder, "dev/block", device);
  if (!place) return [];
  const folder = await orMissing(realpath(place));
  return folder === undefined ? [] : await imagesBelow(folder, sysFolder, deepest);
}

async function imagesBelow(folder: string, sysFolder: string, depth: number): Promise<string[]> {
  if (depth === 0) return [];
  const image = await orMissing(readFile(path.join(folder, "loop/backing_file"), "utf8"));
  if (image !== undefined) return [image.replace(/\n$/, "").replace(/ \(deleted\)$/, "")];
  const slaves = (await orMissing(readdir(path.join(folder, "slaves")))) ?? [];
  const lower = slaves.map((name) => path.join(sysFolder, "class/block", name));
  if ((await orMissing(readFile(path.join(folder, "partition")))) !== undefined) {
    lower.push(path.dirname(folder));
  }
  const found: string[] = [];
  for (const place of lower) {
    const real = await orMissing(realpath(place));
    if (real !== undefined) found.push(...(await imagesBelow(real, sysFolder, depth - 1)));
  }
  return found;
}

/** Devices come and go, and most have none of it. */
async function orMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ENXIO", "ENODEV")) return undefined;
    throw error;
  }
}
