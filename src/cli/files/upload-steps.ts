import type { Stats } from "node:fs";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { OnProgress, WriteOptions } from "../../host/index.ts";
import { HostError } from "../../host/errors.ts";
import type { CopyOptions, LocalEnd } from "./copy-plan.ts";
import { type Guest, onPath } from "./guest.ts";
import { localError, localStat } from "./local.ts";
import { ByteCount, type Copied, type Step, requirePlain, requireRecursive } from "./steps.ts";
import { type Target, destination, statIfThere, thereAlready } from "./target.ts";

/** A file or folder of this host, or standard input, on its way into the guest. Rejects with a HostError. */
export async function uploadStep(
  guest: Guest,
  source: LocalEnd,
  target: Target,
  options: CopyOptions,
): Promise<Step> {
  if (source === undefined) {
    if (target.found === "folder") {
      throw new HostError("local-file", `${target.path} is a folder; name the file for standard input in it`);
    }
    return streamStep(guest, { name: "-", open: () => process.stdin }, target.path, options);
  }
  const stats = await localStat(source);
  if (stats === undefined) throw new HostError("local-file", `${source}: no such file or folder here`);
  if (stats.isDirectory()) {
    requireRecursive(source, options);
    return await treeStep(guest, source, destination(target, source, "folder"), options);
  }
  const to = destination(target, source, "file");
  if (stats.isFile()) return fileStep(guest, source, stats, to, options);
  requirePlain(source, options);
  return streamStep(guest, { name: source, open: () => createReadStream(source) }, to, options);
}

async function treeStep(
  guest: Guest,
  source: string,
  to: string,
  { clobber = true }: CopyOptions,
): Promise<Step> {
  const { files, signal } = guest;
  if (!clobber && (await onPath(to, () => statIfThere(guest, to)))) throw thereAlready(to);
  return {
    ...{ from: source, to, totalBytes: undefined },
    run: (onProgress) => files.uploadTree(source, to, { onProgress, signal }),
  };
}

function fileStep(
  { files, signal }: Guest,
  source: string,
  stats: Stats,
  to: string,
  { clobber = true, resume = false, checksum }: CopyOptions,
): Step {
  const mode = stats.mode & 0o7777;
  return {
    ...{ from: source, to, totalBytes: stats.size },
    async run(onProgress) {
      const { bytes, sha256, resumedAt } = await files.upload(source, to, {
        ...{ resume, checksum, exclusive: !clobber, onProgress, signal, modifiedAt: stats.mtime },
        ...(mode !== 0 && { mode }), // 0 on the wire is none
      });
      return { files: 1, bytes, ...(resume && { resumedAt }), ...(sha256 !== undefined && { sha256 }) };
    },
  };
}

function streamStep(
  guest: Guest,
  source: { name: string; open: () => Readable },
  to: string,
  { clobber = true }: CopyOptions,
): Step {
  return {
    ...{ from: source.name, to, totalBytes: undefined },
    run: (onProgress) => stream(guest, source.name, source.open(), to, { exclusive: !clobber }, onProgress),
  };
}

async function stream(
  { files, signal }: Guest,
  name: string,
  source: Readable,
  to: string,
  options: WriteOptions,
  onProgress: OnProgress,
): Promise<Copied> {
  const count = new ByteCount(onProgress);
  try {
    await pipeline(
      source,
      (chunks: AsyncIterable<Uint8Array>) => count.through(chunks),
      files.writeStream(to, { ...options, signal }),
      { signal },
    );
    return { files: 1, bytes: count.bytes };
  } catch (error) {
    if (error instanceof HostError || signal.aborted) throw error;
    throw localError(name, error);
  }
}
