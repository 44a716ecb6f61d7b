import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { codeText } from "../../wire/errors.ts";
import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import { type Hash, appendAll } from "./append.ts";
import { identityOf } from "./identity.ts";
import { localError } from "./local-error.ts";
import type { DownloadOptions } from "./options.ts";
import { PartFile } from "./part-file.ts";
import { ProgressTeller } from "./progress.ts";
import type { TransferResult } from "./results.ts";
import { type FileSource, openSource } from "./source.ts";

/** See Files.download(). */
export async function download(
  session: Session,
  path: string,
  localPath: string,
  options: DownloadOptions,
): Promise<TransferResult> {
  const part = await PartFile.open(localPath, { resume: options.resume ?? false });
  try {
    return await fill(session, path, part, options);
  } catch (error) {
    const isWrong = error instanceof HostError && error.agentCode === codeText("checksum");
    // What went wrong first is what is told.
    await (isWrong ? part.discard() : part.giveUp()).catch(() => undefined);
    throw error;
  }
}

async function fill(
  session: Session,
  path: string,
  part: PartFile,
  options: DownloadOptions,
): Promise<TransferResult> {
  const { checksum = false, maxBytes = Infinity, onProgress } = options;
  const { opened, resumedAt } = await openBehind(session, path, part, options);
  const { info, source } = opened;
  try {
    if (resumedAt > 0 && resumedAt > info.sizeBytes) {
      throw new HostError("agent-error", `the agent goes on with ${path} behind its end`);
    }
    await part.begin(path, identityOf(info), resumedAt);
    const hash = checksum ? await hashOf(part.file, part.target, resumedAt) : undefined;
    const totalBytes = info.sizeBytes > 0 ? info.sizeBytes : undefined;
    const progress = new ProgressTeller(onProgress, totalBytes, resumedAt);
    const added = await appendAll(part.file, part.target, source, {
      at: resumedAt,
      mostBytes: maxBytes,
      hash,
      progress,
    });
    const bytes = resumedAt + added;
    if (bytes < info.sizeBytes) {
      const text = `only ${bytes} of the ${info.sizeBytes} bytes of ${path} came: it was cut while it was read`;
      throw new HostError("agent-error", text);
    }
    const sha256 = hash?.digest("hex");
    if (sha256 !== undefined && sha256 !== opened.sha256().toString("hex")) throw checksumError(path);
    await part.finish(info);
    progress.end();
    return { bytes, sha256, info, resumedAt };
  } finally {
    source.close();
  }
}

/** Opens the guest's file behind what an earlier try has left, if it is still the same. */
async function openBehind(
  session: Session,
  path: string,
  { earlier }: PartFile,
  { checksum, signal, stallTimeoutSeconds }: DownloadOptions,
): Promise<{ opened: FileSource; resumedAt: number }> {
  const common = { checksum, signal, stallTimeoutSeconds };
  if (earlier && earlier.bytes > 0 && earlier.path === path) {
    try {
      const { bytes: offset, version } = earlier;
      const opened = await openSource(session, path, { ...common, offset, version });
      if (identityOf(opened.info) === version) return { opened, resumedAt: offset };
      opened.source.close();
    } catch (error) {
      if (!(error instanceof HostError && beginAnew.includes(error.agentCode ?? ""))) throw error;
    }
  }
  return { opened: await openSource(session, path, common), resumedAt: 0 };
}

const beginAnew: readonly string[] = [codeText("fileChanged"), codeText("badOffset")];

const hashedAtOnceBytes = 1024 * 1024;

/** A hash that has had the first bytes of a file. */
export async function hashOf(file: FileHandle, localPath: string, bytes: number): Promise<Hash> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafeSlow(Math.min(bytes, hashedAtOnceBytes));
  try {
    for (let at = 0; at < bytes;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, bytes - at), at);
      if (bytesRead === 0) throw new Error("it has been cut meanwhile");
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  } catch (error) {
    throw localError(error, `read ${localPath}`);
  }
  return hash;
}

export function checksumError(path: string): HostError {
  const agentCode = codeText("checksum");
  const text = `${agentCode} the SHA-256 of ${path} is not the same at both ends; nothing was replaced`;
  return new HostError("agent-error", text, { agentCode });
}
