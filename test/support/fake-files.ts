import { type AgentMessage, type Envelope, FileKind, toNumber } from "../../src/wire/envelope.ts";
import { maxStreamDataBytes } from "../../src/wire/stream-frame.ts";
import type { FakeGuest } from "./fake-agent.ts";
import { until } from "./until.ts";

type Send = (envelope: Envelope) => void;
type Payload = NonNullable<AgentMessage["payload"]>;

export interface FakeFilesOptions {
  /** Whether it has the extension "files"; true unless given. */
  streams?: boolean;
  /** Credit for each upload; 256 KiB unless given. */
  windowBytes?: number;
  /** What a new upload says has arrived before. */
  receivedBytes?: number;
  /** Entries in one answer to list_directory; all unless given. */
  pageEntries?: number;
  /** Pieces are answered the other way round than they came, as many at a time as there are. */
  answersBackwards?: boolean;
  /** The answer to a request, or "none" for silence; undefined for the usual one. */
  answer?(message: AgentMessage): Envelope | "none" | undefined;
  /** What is sent for a file_get or tree_get behind its answer, instead of the file. */
  onGet?(transfer: FakeDownload): void;
  /** The tar stream of every tree_get. */
  tar?: Buffer;
}

/** Files of a FakeAgent that are in memory only. Links and folders are what a test puts there. */
export class FakeFiles implements FakeGuest {
  /** By path. */
  readonly files = new Map<string, Buffer>();
  readonly links = new Map<string, string>();
  readonly folders = new Set<string>(["/"]);
  /** Every message that was none of a FakeAgent's own, in order. */
  readonly received: AgentMessage[] = [];
  readonly downloads: FakeDownload[] = [];
  readonly uploads: FakeUpload[] = [];
  /** Time of all files, in seconds since 1970. */
  modifiedAt = 1_700_000_000;
  /** The most pieces that have waited for an answer at once. */
  mostPiecesAtOnce = 0;
  readonly #options: FakeFilesOptions;
  #waiting: (() => void)[] = [];

  constructor(options: FakeFilesOptions = {}) {
    this.#options = options;
  }

  get features(): string[] {
    return (this.#options.streams ?? true) ? ["files", "cancel"] : [];
  }

  /** The first message with this payload, when it has come. */
  async got<Name extends Payload>(name: Name): Promise<NonNullable<AgentMessage[Name]>> {
    const found = await until(`a message with ${name}`, () =>
      this.received.find(({ payload }) => payload === name),
    );
    return found[name] as NonNullable<AgentMessage[Name]>;
  }

  all<Name extends Payload>(name: Name): NonNullable<AgentMessage[Name]>[] {
    return this.received.flatMap((message) => (message[name] ? [message[name]] : []));
  }

  receive(message: AgentMessage, send: Send): boolean {
    if (message.hello || message.ping || message.getCapabilities) return false;
    this.received.push(message);
    const { messageId } = message;
    const answer = this.#options.answer?.(message);
    if (answer === "none") return true;
    if (answer) send({ messageId, ...answer });
    else this.#serve(message, send);
    return true;
  }

  leave(): void {
    // Nothing is sent to a host that has gone.
  }

  #serve(message: AgentMessage, send: Send): void {
    const { messageId, fileStat, fileRead, fileWrite, listDirectory, createDirectory } = message;
    const { fileGet, treeGet, filePut, treePut, transferCommit, streamData, streamCredit, cancel } = message;
    if (fileStat) {
      const entry = this.#entry(fileStat.path ?? "");
      const error = entry ? "" : "QXGA-4001 no such file";
      send({ messageId, fileStatResponse: { success: entry !== undefined, entry: entry ?? null, error } });
    } else if (fileRead) {
      this.#later(() => {
        send({ messageId, fileReadResponse: this.#read(fileRead) });
      });
    } else if (fileWrite) {
      this.#later(() => {
        send({ messageId, fileWriteResponse: this.#write(fileWrite) });
      });
    } else if (listDirectory) {
      send({ messageId, listDirectoryResponse: this.#list(listDirectory) });
    } else if (createDirectory) {
      this.folders.add(createDirectory.path ?? "");
      send({ messageId, createDirectoryResponse: { success: true } });
    } else if (fileGet || treeGet) {
      const path = fileGet?.path ?? treeGet?.path ?? "";
      const contents = treeGet ? (this.#options.tar ?? Buffer.alloc(0)) : this.files.get(path);
      const download = new FakeDownload(`get-${this.downloads.length + 1}`, messageId, send);
      this.downloads.push(download);
      const { streamId } = download;
      const entry = this.#entry(path) ?? null;
      if (treeGet) send({ messageId, treeGetResponse: { success: true, streamId } });
      else send({ messageId, fileGetResponse: { success: true, streamId, entry } });
      download.grant(toNumber(fileGet?.windowBytes ?? treeGet?.windowBytes ?? 0));
      if (this.#options.onGet) this.#options.onGet(download);
      else download.sendAll((contents ?? Buffer.alloc(0)).subarray(toNumber(fileGet?.offset ?? 0)));
    } else if (filePut || treePut) {
      const { windowBytes = 256 * 1024, receivedBytes = 0 } = this.#options;
      const upload = new FakeUpload(`put-${this.uploads.length + 1}`, messageId, filePut?.path ?? "", send);
      this.uploads.push(upload);
      upload.windowBytes = windowBytes;
      const { streamId } = upload;
      if (filePut) {
        send({ messageId, filePutResponse: { success: true, streamId, receivedBytes, windowBytes } });
      } else {
        send({ messageId, treePutResponse: { success: true, streamId, windowBytes } });
      }
    } else if (transferCommit) {
      const upload = this.uploads.find(({ streamId }) => streamId === transferCommit.streamId);
      if (upload) this.files.set(upload.path, upload.data);
      const entry = this.#entry(upload?.path ?? "") ?? null;
      send({ messageId, transferCommitResponse: { success: true, entry, entries: 7 } });
    } else if (streamData) {
      this.uploads
        .find(({ streamId }) => streamId === streamData.streamId)
        ?.take(Buffer.from(streamData.data ?? new Uint8Array()));
    } else if (streamCredit) {
      this.downloads
        .find(({ streamId }) => streamId === streamCredit.streamId)
        ?.grant(toNumber(streamCredit.bytes ?? 0));
    } else if (cancel) {
      send({ messageId, cancelResponse: { success: true } });
    } else {
      send({ messageId, error: { code: "QXGA-2002", message: "QXGA-2002 unknown message type" } });
    }
  }

  /** Answers when no more pieces come. */
  #later(answer: () => void): void {
    if (!this.#options.answersBackwards) {
      answer();
      return;
    }
    this.#waiting.unshift(answer);
    this.mostPiecesAtOnce = Math.max(this.mostPiecesAtOnce, this.#waiting.length);
    if (this.#waiting.length > 1) return;
    setTimeout(() => {
      const answers = this.#waiting;
      this.#waiting = [];
      for (const each of answers) each();
    }, 2);
  }

  #entry(path: string): NonNullable<Envelope["fileStatResponse"]>["entry"] | undefined {
    const contents = this.files.get(path);
    const target = this.links.get(path);
    const isDirectory = this.folders.has(path);
    if (contents === undefined && target === undefined && !isDirectory) return undefined;
    const kind = isDirectory
      ? FileKind.FILE_KIND_DIRECTORY
      : target === undefined
        ? FileKind.FILE_KIND_FILE
        : FileKind.FILE_KIND_SYMLINK;
    const knows = this.#options.streams ?? true;
    return {
      name: path.slice(path.lastIndexOf("/") + 1),
      path,
      isDirectory,
      isSymlink: target !== undefined,
      sizeBytes: contents?.length ?? 0,
      mode: isDirectory ? 0o750 : 0o4644,
      modifiedAt: { seconds: this.modifiedAt, nanos: 500_000_000 },
      symlinkTarget: target ?? "",
      ...(knows && { kind, version: `${contents?.length ?? 0}-${this.modifiedAt}` }),
    };
  }

  #read({
    path,
    offset,
    length,
  }: NonNullable<AgentMessage["fileRead"]>): NonNullable<Envelope["fileReadResponse"]> {
    const contents = this.files.get(path ?? "");
    if (!contents) return { success: false, error: "QXGA-4001 no such file" };
    const at = toNumber(offset ?? 0);
    // Now and then less than was asked for.
    const most = at % 5 === 3 ? 1_000 : Infinity;
    const data = contents.subarray(at, at + Math.min(toNumber(length ?? 0), most));
    return { success: true, data, eof: at + data.length >= contents.length, totalSize: contents.length };
  }

  #write({
    path,
    offset,
    data,
    chunkNumber,
  }: NonNullable<AgentMessage["fileWrite"]>): NonNullable<Envelope["fileWriteResponse"]> {
    const at = toNumber(offset ?? 0);
    const bytes = Buffer.from(data ?? new Uint8Array());
    const before = at === 0 ? Buffer.alloc(0) : (this.files.get(path ?? "") ?? Buffer.alloc(0));
    const after = Buffer.alloc(Math.max(before.length, at + bytes.length));
    before.copy(after);
    bytes.copy(after, at);
    this.files.set(path ?? "", after);
    return { success: true, bytesWritten: bytes.length, chunkNumber: chunkNumber ?? 0 };
  }

  #list({
    path,
    continuationToken,
    includeHidden,
  }: NonNullable<AgentMessage["listDirectory"]>): NonNullable<Envelope["listDirectoryResponse"]> {
    const folder = path === "/" ? "/" : `${path ?? ""}/`;
    const names = [...this.files.keys(), ...this.links.keys(), ...this.folders]
      .filter(
        (each) => each.startsWith(folder) && each !== folder && !each.slice(folder.length).includes("/"),
      )
      .filter((each) => includeHidden || !each.slice(folder.length).startsWith("."))
      .sort();
    const from = Number(continuationToken || 0);
    const to = from + (this.#options.pageEntries ?? Infinity);
    return {
      success: true,
      entries: names.slice(from, to).flatMap((each) => this.#entry(each) ?? []),
      continuationToken: to < names.length ? String(to) : "",
    };
  }
}

/** One file_get or tree_get. */
export class FakeDownload {
  creditBytes = 0;
  sentBytes = 0;
  /** The most that was sent and not yet granted again. */
  largestWindowBytes = 0;
  #rest: Buffer | undefined;
  readonly #send: Send;

  constructor(
    readonly streamId: string,
    readonly messageId: string,
    send: Send,
  ) {
    this.#send = send;
  }

  grant(bytes: number): void {
    this.creditBytes += bytes;
    this.largestWindowBytes = Math.max(this.largestWindowBytes, this.creditBytes);
    this.#pump();
  }

  /** As far as there is credit, and then its end. */
  sendAll(bytes: Buffer): void {
    this.#rest = bytes;
    this.#pump();
  }

  /** Sends whatever a test wants an agent to send. */
  raw(envelope: Omit<Envelope, "messageId">): void {
    this.#send({ ...envelope, messageId: "" });
  }

  data(data: Buffer, channel = 1): void {
    this.sentBytes += data.length;
    this.raw({ streamData: { streamId: this.streamId, channel, data } });
  }

  end(ended: Envelope["transferEnded"] = {}): void {
    this.raw({ transferEnded: { bytes: this.sentBytes, ...ended, streamId: this.streamId } });
  }

  #pump(): void {
    while (this.#rest && this.#rest.length > 0 && this.creditBytes > 0) {
      const piece = this.#rest.subarray(0, Math.min(this.creditBytes, maxStreamDataBytes));
      this.#rest = this.#rest.subarray(piece.length);
      this.creditBytes -= piece.length;
      this.data(piece);
    }
    if (this.#rest?.length !== 0) return;
    this.#rest = undefined;
    this.end();
  }
}

/** One file_put or tree_put. */
export class FakeUpload {
  windowBytes = 0;
  /** Whether credit is given again as soon as data comes. */
  reads = true;
  /** What came over the credit that the host had. */
  excessBytes = 0;
  largestPieceBytes = 0;
  readonly #pieces: Buffer[] = [];
  readonly #send: Send;

  constructor(
    readonly streamId: string,
    readonly messageId: string,
    readonly path: string,
    send: Send,
  ) {
    this.#send = send;
  }

  get data(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  take(piece: Buffer): void {
    this.#pieces.push(Buffer.from(piece));
    this.largestPieceBytes = Math.max(this.largestPieceBytes, piece.length);
    this.windowBytes -= piece.length;
    if (this.windowBytes < 0) this.excessBytes = Math.max(this.excessBytes, -this.windowBytes);
    if (!this.reads) return;
    this.windowBytes += piece.length;
    this.raw({ streamCredit: { streamId: this.streamId, channel: 0, bytes: piece.length } });
  }

  /** Sends whatever a test wants an agent to send. */
  raw(envelope: Omit<Envelope, "messageId">): void {
    this.#send({ ...envelope, messageId: "" });
  }
}
