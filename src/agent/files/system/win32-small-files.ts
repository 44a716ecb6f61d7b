import { constants } from "node:fs";
import { addon } from "../../../native/addon.ts";
import type { NewFile, ReadFilesResult } from "../../../native/files.ts";
import { close, read, writeAll } from "../io.ts";
import { howOf, openIn } from "./win32-open.ts";
import { statsOf } from "./win32-stats.ts";
import type { OpenFolder } from "./types.ts";

const numbersOfFile = 10;

const toRead = howOf(constants.O_RDONLY);
const newFile = howOf(constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);

/** See ReadFiles. */
export async function readFiles(
  folder: OpenFolder,
  names: readonly string[],
  mostBytes: number,
): Promise<ReadFilesResult> {
  const numbers = new BigInt64Array(names.length * numbersOfFile);
  const errors: (NodeJS.ErrnoException | undefined)[] = [];
  const contents: Buffer[] = [];
  let bytes = 0;
  for (const [index, name] of names.entries()) {
    try {
      const { facts, content } = await readFile(folder, name, mostBytes - bytes);
      numbers.set(facts, index * numbersOfFile);
      numbers[index * numbersOfFile + 8] = content ? BigInt(bytes) : -1n;
      numbers[index * numbersOfFile + 9] = BigInt(content?.length ?? 0);
      if (content) contents.push(content);
      bytes += content?.length ?? 0;
      errors.push(undefined);
    } catch (error) {
      errors.push(error as NodeJS.ErrnoException);
    }
  }
  return { content: Buffer.concat(contents), numbers, errors };
}

async function readFile(
  folder: OpenFolder,
  name: string,
  mostBytes: number,
): Promise<{ facts: bigint[]; content: Buffer | undefined }> {
  const fd = await openIn(folder.fd, name, toRead);
  try {
    const [stats] = await statsOf(fd);
    if (stats === undefined) throw new Error(`Windows tells nothing of ${name}`);
    const { dev, ino, mode, nlink, uid, gid, size, mtimeNs } = stats;
    const facts = [dev, BigInt.asIntN(64, ino), mode, nlink, uid, gid, size, mtimeNs];
    if (size > BigInt(mostBytes)) return { facts, content: undefined };
    const content = Buffer.allocUnsafeSlow(Number(size));
    let filled = 0;
    while (filled < content.length) {
      const count = await read(fd, content.subarray(filled), filled);
      if (count === 0) break;
      filled += count;
    }
    return { facts, content: content.subarray(0, filled) };
  } finally {
    close(fd);
  }
}

/** See PlaceFiles. */
export async function placeFiles(folder: OpenFolder, files: readonly NewFile[]): Promise<void> {
  for (const file of files) {
    try {
      await placeFile(folder, file);
    } catch (error) {
      throw Object.assign(error as NodeJS.ErrnoException, { path: file.name });
    }
  }
}

async function placeFile({ fd: folder }: OpenFolder, file: NewFile): Promise<void> {
  const { name, temporary, content, mode, modified } = file;
  const fd = await openIn(folder, temporary, newFile);
  try {
    try {
      await writeAll(fd, content, 0);
      const changed = modified && BigInt(modified.seconds) * 1_000_000_000n + BigInt(modified.nanos);
      await addon.setAttributes(fd, (mode & 0o222) === 0, undefined, changed);
    } finally {
      close(fd);
    }
    await addon.renameIn(folder, temporary, folder, name, true);
  } catch (error) {
    await addon.removeIn(folder, temporary, false).catch(() => undefined); // what went wrong is `error`
    throw error;
  }
}
