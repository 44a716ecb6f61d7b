import { timestamp } from "../../wire/envelope.ts";
import { checkAnswer } from "../commands/answer.ts";
import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import { ChunkSink } from "./chunk-sink.ts";
import { modeField } from "./entries.ts";
import { type FileInfo, fileInfo } from "./file-info.ts";
import type { StallOptions, WriteOptions } from "./options.ts";
import { Outgoing } from "./outgoing.ts";

/** A file of the guest that is being written. */
export interface FileSink {
  /** How much of it has arrived earlier: what is sent goes behind that. */
  readonly receivedBytes: number;
  /** See Outgoing. */
  sendInPlace(buffer: Buffer, dataBytes: number, taken: () => void): Promise<void>;
  /** Sends data that is not changed before it resolves. Rejects with a HostError when the file cannot be written. */
  send(data: Buffer): Promise<void>;
  /** All is sent: so many bytes with what had arrived earlier. Gives what is in its place now. */
  commit(totalBytes: number, sha256?: Buffer): Promise<FileInfo>;
  /** Gives it up, unless it is committed. Idempotent. */
  cancel(): void;
}

export interface SinkOptions extends WriteOptions, StallOptions {
  uploadId?: string | undefined;
  /** Where it is known. */
  totalBytes?: number | undefined;
  /** Called when it has failed, also while nothing is sent. */
  onFail?: ((error: HostError) => void) | undefined;
}

/** Begins to write a file of the guest, in the best way that its agent has. */
export async function openSink(session: Session, path: string, options: SinkOptions): Promise<FileSink> {
  const { uploadId = "", owner = "", group = "", modifiedAt, version = "", signal } = options;
  if (!session.supports("files")) return ChunkSink.open(session, path, options);
  const request = {
    path,
    uploadId,
    resume: uploadId !== "",
    mode: modeField(options.mode),
    owner: String(owner),
    group: String(group),
    ...(modifiedAt && { modifiedAt: timestamp(modifiedAt.getTime()) }),
    createParents: options.createParents ?? false,
    sparse: options.sparse ?? false,
    version,
    exclusive: options.exclusive ?? false,
  };
  return await session.ask("filePut", request, { signal, cancel: true }, (response, messageId) => {
    checkAnswer(response);
    const { streamId, receivedBytes, windowBytes } = response;
    const { onFail, stallTimeoutSeconds } = options;
    const facts = { streamId, messageId, what: path, windowBytes, signal, stallTimeoutSeconds, onFail };
    const outgoing = new Outgoing(session, facts);
    if (receivedBytes > 0 && uploadId === "") {
      outgoing.cancel();
      throw new HostError(
        "agent-error",
        `the agent says that ${receivedBytes} bytes of ${path} came earlier`,
      );
    }
    return new StreamSink(outgoing, path, receivedBytes);
  });
}

class StreamSink implements FileSink {
  readonly receivedBytes: number;
  readonly #outgoing: Outgoing;
  readonly #path: string;

  constructor(outgoing: Outgoing, path: string, receivedBytes: number) {
    this.#outgoing = outgoing;
    this.#path = path;
    this.receivedBytes = receivedBytes;
  }

  sendInPlace(buffer: Buffer, dataBytes: number, taken: () => void): Promise<void> {
    return this.#outgoing.sendInPlace(buffer, dataBytes, taken);
  }

  send(data: Buffer): Promise<void> {
    return this.#outgoing.send(data);
  }

  async commit(totalBytes: number, sha256?: Buffer): Promise<FileInfo> {
    const { entry } = await this.#outgoing.commit(totalBytes, sha256);
    return fileInfo(entry, this.#path);
  }

  cancel(): void {
    this.#outgoing.cancel();
  }
}
