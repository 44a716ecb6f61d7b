import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { streamDataHeadBytes } from "../../wire/stream-frame.ts";
import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import { hashOf } from "./download.ts";
import { locally } from "./local-error.ts";
import { LocalReader } from "./local-reader.ts";
import type { UploadOptions } from "./options.ts";
import { ProgressTeller } from "./progress.ts";
import type { TransferResult } from "./results.ts";
import { type FileSink, openSink } from "./sink.ts";

/** See Files.upload(). */
export async function upload(
  session: Session,
  localPath: string,
  path: string,
  options: UploadOptions,
): Promise<TransferResult> {
  const { resume = false, checksum = false, onProgress, ...writeOptions } = options;
  if (checksum) session.require("files", "a checksum");
  const { file, stats } = await openLocal(localPath);
  try {
    const totalBytes = Number(stats.size);
    const uploadId =
      resume && session.supports("files") ? await uploadIdOf(localPath, stats, path) : undefined;
    const sink = await openSink(session, path, { ...writeOptions, uploadId, totalBytes });
    try {
      const resumedAt = sink.receivedBytes;
      if (resumedAt > totalBytes) {
        throw new HostError("agent-error", `the agent says that it has more of ${path} than there is`);
      }
      const hash = checksum ? await hashOf(file, localPath, resumedAt) : undefined;
      const progress = new ProgressTeller(onProgress, totalBytes, resumedAt);
      await sendAll({ file, localPath, stats, sink, hash, progress });
      const digest = hash?.digest();
      const info = await sink.commit(totalBytes, digest);
      progress.end();
      return { bytes: totalBytes, sha256: digest?.toString("hex"), info, resumedAt };
    } finally {
      sink.cancel(); // nothing, when it is committed
    }
  } finally {
    await file.close();
  }
}

/** Sends what the guest does not have. Rejects with a HostError when it is no longer the file that it was. */
async function sendAll({
  file,
  localPath,
  stats,
  sink,
  hash,
  progress,
}: {
  file: FileHandle;
  localPath: string;
  stats: BigIntStats;
  sink: FileSink;
  hash: ReturnType<typeof createHash> | undefined;
  progress: ProgressTeller;
}): Promise<void> {
  const end = Number(stats.size);
  let at = sink.receivedBytes;
  for await (const pieces of new LocalReader(file, localPath, at).pieces(end)) {
    for (const { buffer, dataBytes, done } of pieces) {
      hash?.update(buffer.subarray(streamDataHeadBytes, streamDataHeadBytes + dataBytes));
      await sink.sendInPlace(buffer, dataBytes, done);
      at += dataBytes;
      progress.add(dataBytes);
    }
  }
  const now = await locally(`read ${localPath}`, () => file.stat({ bigint: true }));
  if (at !== end || now.size !== stats.size || now.mtimeNs !== stats.mtimeNs) {
    throw new HostError("local-file", `${localPath} was changed while it was sent; nothing was replaced`);
  }
}

/** O_NONBLOCK: a FIFO without a writer is not waited for. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

async function openLocal(localPath: string): Promise<{ file: FileHandle; stats: BigIntStats }> {
  return await locally(`read ${localPath}`, async () => {
    const file = await open(localPath, openFlags);
    try {
      const stats = await file.stat({ bigint: true });
      if (stats.isFile()) return { file, stats };
      throw new HostError("local-file", `${localPath} is no regular file of this host`);
    } catch (error) {
      await file.close();
      throw error;
    }
  });
}

/** The same for the same file with the same contents to the same place, in every process; else another one. */
async function uploadIdOf(localPath: string, stats: BigIntStats, path: string): Promise<string> {
  const { dev, ino, size, mtimeNs } = stats;
  const place = await locally(`read ${localPath}`, () => realpath(localPath));
  const facts = [place, path, ...[dev, ino, size, mtimeNs].map(String)];
  return createHash("sha256").update(JSON.stringify(facts)).digest("base64url");
}
