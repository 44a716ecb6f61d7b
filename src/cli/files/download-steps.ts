import { createWriteStream } from "node:fs";
import { realpath } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { HostError } from "../../host/errors.ts";
import type { FileInfo, OnProgress } from "../../host/index.ts";
import type { CopyOptions } from "./copy-plan.ts";
import { write } from "../ui/output.ts";
import { type Guest, onPath } from "./guest.ts";
import { isThere, localError, localStat } from "./local.ts";
import { ByteCount, type Copied, type Step, requirePlain, requireRecursive } from "./steps.ts";
import { type Target, destination, thereAlready } from "./target.ts";

/** What is at a target of this host. Rejects with "local-file". */
export async function localTarget(path: string): Promise<Target> {
  const stats = await localStat(path);
  return { path, found: stats === undefined ? "nothing" : stats.isDirectory() ? "folder" : "other" };
}

/** A file or folder of the guest on its way to this host; without a target to standard output. Rejects with a HostError. */
export async function downloadStep(
  guest: Guest,
  source: string,
  target: Target | undefined,
  options: CopyOptions,
): Promise<Step> {
  const { files, signal } = guest;
  const info = await onPath(source, () => files.stat(source, { signal }));
  if (target === undefined) {
    return { ...stepTo("-", info, source), run: (onProgress) => toOutput(guest, source, onProgress) };
  }
  if (info.kind === "directory") {
    requireRecursive(source, options);
    const to = destination(target, source, "folder");
    await checkFree(to, options);
    return {
      ...{ from: source, to, totalBytes: undefined },
      run: (onProgress) => files.downloadTree(source, to, { onProgress, signal }),
    };
  }
  const to = destination(target, source, "file");
  await checkFree(to, options);
  const stats = await localStat(to);
  if (stats === undefined || stats.isFile()) {
    // What a link leads to is replaced, not the link.
    const file = stats === undefined ? to : await realpath(to);
    return {
      ...stepTo(to, info, source),
      run: (onProgress) => toFile(guest, source, file, options, onProgress),
    };
  }
  // A device such as /dev/null takes what is written to it; it must not be replaced by a file.
  requirePlain(to, options);
  return { ...stepTo(to, info, source), run: (onProgress) => toDevice(guest, source, to, onProgress) };
}

function stepTo(to: string, { sizeBytes }: FileInfo, from: string): Omit<Step, "run"> {
  // Files such as those in /proc say 0, and have something.
  return { from, to, totalBytes: sizeBytes || undefined };
}

async function checkFree(path: string, { clobber = true }: CopyOptions): Promise<void> {
  if (!clobber && (await isThere(path))) throw thereAlready(path);
}

async function toFile(
  { files, signal }: Guest,
  source: string,
  file: string,
  { resume = false, checksum }: CopyOptions,
  onProgress: OnProgress,
): Promise<Copied> {
  const { bytes, sha256, resumedAt } = await onPath(source, () =>
    files.download(source, file, { resume, checksum, onProgress, signal }),
  );
  return { files: 1, bytes, ...(resume && { resumedAt }), ...(sha256 !== undefined && { sha256 }) };
}

async function toOutput({ files, signal }: Guest, source: string, onProgress: OnProgress): Promise<Copied> {
  const count = new ByteCount(onProgress);
  await onPath(source, async () => {
    for await (const chunk of count.through(files.readStream(source, { signal }))) {
      await write(chunk, signal); // not by pipeline(): after an error that closes what it writes to
    }
  });
  return { files: 1, bytes: count.bytes };
}

async function toDevice(
  { files, signal }: Guest,
  source: string,
  device: string,
  onProgress: OnProgress,
): Promise<Copied> {
  const count = new ByteCount(onProgress);
  try {
    await pipeline(
      files.readStream(source, { signal }),
      (chunks: AsyncIterable<Uint8Array>) => count.through(chunks),
      createWriteStream(device),
      { signal },
    );
  } catch (error) {
    if (error instanceof HostError || signal.aborted) throw error;
    throw localError(device, error);
  }
  return { files: 1, bytes: count.bytes };
}
