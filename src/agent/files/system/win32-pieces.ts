import { fact } from "../../../native/files.ts";
import { isErrno } from "../file-error.ts";
import { close, ftruncate, read, writeAll } from "../io.ts";
import { dataRuns } from "../../transfers/sparse-writer.ts";
import { openPath, toLook } from "./win32-open.ts";
import { type WindowsStats, statsOf } from "./win32-stats.ts";

const second = 1_000_000_000n;

/** See ReadPiece. */
export async function readPiece(
  fd: number,
  path: string,
  offset: number,
  data: Buffer,
  facts: Float64Array,
): Promise<boolean> {
  const stats = await ifStillThere(fd, path);
  if (stats === undefined) return false;
  tell(facts, stats, await fill(fd, offset, data));
  return true;
}

/** See WritePiece. */
export async function writePiece(
  fd: number,
  path: string,
  offset: number,
  data: Buffer,
  facts: Float64Array,
  sparse: boolean,
): Promise<boolean> {
  const stats = await ifStillThere(fd, path);
  if (stats === undefined) return false;
  if (sparse) await writeWithHoles(fd, offset, data, Number(stats.size));
  else await writeAll(fd, data, offset);
  tell(facts, stats, data.length);
  return true;
}

export async function readAt(fd: number, offset: number, data: Buffer): Promise<number> {
  return await fill(fd, offset, data);
}

export async function writeSparse(fd: number, offset: number, data: Buffer): Promise<void> {
  const [stats] = await statsOf(fd);
  await writeWithHoles(fd, offset, data, Number(stats?.size ?? 0n));
}

/** What the file is, if the path still leads to it. */
async function ifStillThere(fd: number, path: string): Promise<WindowsStats | undefined> {
  let there: number;
  try {
    there = await openPath(path, toLook);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
  try {
    const [[now], [open]] = await Promise.all([statsOf(there), statsOf(fd)]);
    return now && open && now.ino === open.ino && now.dev === open.dev ? open : undefined;
  } finally {
    close(there);
  }
}

async function fill(fd: number, offset: number, data: Buffer): Promise<number> {
  let done = 0;
  while (done < data.length) {
    const count = await read(fd, data.subarray(done), offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Zeros behind the end are not written: the file system gives them to who reads there. */
async function writeWithHoles(fd: number, offset: number, data: Buffer, sizeBytes: number): Promise<void> {
  let end = sizeBytes;
  const behind = Math.min(Math.max(0, sizeBytes - offset), data.length);
  if (behind > 0) await writeAll(fd, data.subarray(0, behind), offset);
  const rest = data.subarray(behind);
  for (const { from, to } of dataRuns(rest, offset + behind)) {
    await writeAll(fd, rest.subarray(from, to), offset + behind + from);
    end = Math.max(end, offset + behind + to);
  }
  if (end < offset + data.length) await ftruncate(fd, offset + data.length);
}

function tell(facts: Float64Array, { size, mode, mtimeNs }: WindowsStats, count: number): void {
  facts[fact.count] = count;
  facts[fact.size] = Number(size);
  facts[fact.mode] = Number(mode) & 0o7777;
  const nanos = ((mtimeNs % second) + second) % second;
  facts[fact.modifiedSeconds] = Number((mtimeNs - nanos) / second);
  facts[fact.modifiedNanos] = Number(nanos);
}
