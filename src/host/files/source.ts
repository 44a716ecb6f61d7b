import type { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import { ChunkSource } from "./chunk-source.ts";
import { type FileInfo, fileInfo } from "./file-info.ts";
import { Incoming } from "./incoming.ts";
import { firstWindowBytes } from "./window.ts";
import { checkAnswer } from "../commands/answer.ts";

/** Bytes from the guest, in order. */
export interface ByteSource {
  /**
   * What has come and was not given yet, up to about so many bytes; waits until there is something. Undefined at the end,
   * when all was as the agent said. Rejects with a HostError. Not to be called again before it has settled.
   */
  next(mostBytes: number): Promise<Buffer[] | undefined>;
  /** So many of those bytes are used up: the guest may send as many again. */
  taken(bytes: number): void;
  /** Gives up what has not come yet; the guest is told. Idempotent. */
  close(): void;
}

/** A file that is being read. */
export interface FileSource {
  /** As it was when reading began. */
  info: FileInfo;
  source: ByteSource;
  /** Of the whole file, at the end, if it was asked for. */
  sha256(): Buffer;
}

export interface SourceOptions {
  offset?: number | undefined;
  length?: number | undefined;
  /** See versionOf(). */
  version?: string | undefined;
  checksum?: boolean | undefined;
  windowBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  /** See StallOptions. */
  stallTimeoutSeconds?: number | undefined;
  /** Called when it has failed, also while nobody waits in next(). */
  onFail?: ((error: HostError) => void) | undefined;
}

/** Begins to read a file of the guest, in the best way that its agent has. */
export async function openSource(
  session: Session,
  path: string,
  options: SourceOptions,
): Promise<FileSource> {
  const {
    offset = 0,
    length,
    version = "",
    checksum = false,
    windowBytes,
    signal,
    stallTimeoutSeconds,
    onFail,
  } = options;
  if (checksum) session.require("files", "a checksum");
  if (!session.supports("files")) {
    const source = await ChunkSource.open(session, path, { offset, length, version, signal });
    return { info: source.info, source, sha256: () => Buffer.alloc(0) };
  }
  const request = {
    path,
    offset,
    length: length ?? 0,
    windowBytes: windowBytes ?? firstWindowBytes,
    checksum,
    version,
  };
  return await session.ask("fileGet", request, { signal, cancel: true }, (response, messageId) => {
    checkAnswer(response);
    const info = fileInfo(response.entry, path);
    const source = new Incoming(session, {
      streamId: response.streamId,
      messageId,
      what: path,
      windowBytes,
      signal,
      stallTimeoutSeconds,
      onFail,
    });
    return { info, source, sha256: () => source.end.sha256 };
  });
}
