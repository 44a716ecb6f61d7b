import type { Readable, Writable } from "node:stream";
import type { CallOptions } from "../calls.ts";
import type { Session } from "../session.ts";
import { setAttributes } from "./attributes.ts";
import { download } from "./download.ts";
import { downloadTree } from "./download-tree.ts";
import { copy, mkdir, remove, rename, symlink } from "./entries.ts";
import type { FileInfo } from "./file-info.ts";
import { list } from "./list.ts";
import type {
  AttributesOptions,
  DownloadOptions,
  DownloadTreeOptions,
  FileOptions,
  ReadFileOptions,
  ReadStreamOptions,
  UploadOptions,
  UploadTreeOptions,
  WriteOptions,
} from "./options.ts";
import { GuestReadable, readFile } from "./read.ts";
import type { DownloadTreeResult, FileChanges, TransferResult, UploadTreeResult } from "./results.ts";
import { stat } from "./stat.ts";
import { upload } from "./upload.ts";
import { uploadTree } from "./upload-tree.ts";
import { watch } from "./watch.ts";
import { GuestWritable, writeFile } from "./write.ts";

/** The session with the agent, for an operation of that name; waits while it is being made. */
export type SessionOf = (what: string, options: CallOptions) => Promise<Session>;

/**
 * The guest's files: `client.files`. Paths in the guest are absolute. All reject with a HostError: "agent-error" with the
 * agent's code (QXGA-4001: not there, 4002: permission denied, 4003: there already, 4010: disk full, 4020: changed
 * meanwhile, …); "not-supported" by agents without the extension "files", where there is no other way; "aborted" by
 * `signal`; "connection-lost" as soon as it is; "local-file" for what is wrong with a file of this host.
 *
 * What is written takes its place as a whole, or not at all. Agents without the extension write into the file itself.
 */
export class Files {
  readonly #session: SessionOf;

  constructor(session: SessionOf) {
    this.#session = session;
  }

  /** The file's contents, as a string with `encoding`. Not for more than `maxBytes`, 256 MiB: "too-large". */
  readFile(path: string, options: ReadFileOptions & { encoding: BufferEncoding }): Promise<string>;
  readFile(path: string, options?: ReadFileOptions & { encoding?: undefined }): Promise<Buffer>;
  readFile(path: string, options?: ReadFileOptions): Promise<Buffer | string>;
  async readFile(path: string, options: ReadFileOptions = {}): Promise<Buffer | string> {
    return await readFile(await this.#session("readFile", signalOf(options)), path, options);
  }

  /** Writes a file, whole and on disk when it resolves. Gives what is there then. */
  async writeFile(path: string, data: Uint8Array | string, options: WriteOptions = {}): Promise<FileInfo> {
    return await writeFile(await this.#session("writeFile", signalOf(options)), path, data, options);
  }

  /**
   * The file's contents as a stream, which begins when it is first read. The guest sends no further than the reader
   * reads; a destroyed stream ends the transfer.
   */
  readStream(path: string, options: ReadStreamOptions = {}): Readable {
    return new GuestReadable(() => this.#session("readStream", signalOf(options)), path, options);
  }

  /**
   * A stream that writes a file. The file is in its place, whole and on disk, at "finish". A stream that is destroyed
   * before, or fails, leaves what was there untouched.
   */
  writeStream(path: string, options: WriteOptions = {}): Writable {
    return new GuestWritable(() => this.#session("writeStream", signalOf(options)), path, options);
  }

  /**
   * Copies a file of the guest to this host, with its permission bits (not setuid and the like) and time. What was at
   * `localPath` is replaced when the copy is whole and on disk. With `resume` a copy that fails leaves a file
   * `.NAME.limiquantix-part` and one that describes it beside `localPath`, and goes on with them if the guest's file is
   * still the same.
   */
  async download(path: string, localPath: string, options: DownloadOptions = {}): Promise<TransferResult> {
    return await download(await this.#session("download", signalOf(options)), path, localPath, options);
  }

  /**
   * Copies a regular file of this host to the guest. With `resume` what has arrived of a copy that failed stays in the
   * guest for an hour, and the next one goes on with it, also in another process, if the file has the same size and time.
   * Rejects with "local-file" when the file changes meanwhile.
   */
  async upload(localPath: string, path: string, options: UploadOptions = {}): Promise<TransferResult> {
    return await upload(await this.#session("upload", signalOf(options)), localPath, path, options);
  }

  /**
   * Copies a folder of the guest with all that is in it into `localFolder`, which is made if it is not there. Files are
   * replaced one by one. The guest is not trusted: nothing is written outside, whatever names and links it sends; links
   * are made as they are, and not followed. A failure leaves the files that are whole.
   * Small files are written in this thread, 4 ms at a time, where the file system is a local one and quick.
   */
  async downloadTree(
    path: string,
    localFolder: string,
    options: DownloadTreeOptions = {},
  ): Promise<DownloadTreeResult> {
    const session = await this.#session("downloadTree", signalOf(options));
    return await downloadTree(session, path, localFolder, options);
  }

  /**
   * Copies a folder of this host with all that is in it into `path`, which is made if it is not there. Small files are read
   * in this thread, 4 ms at a time, where the file system is a local one and quick.
   */
  async uploadTree(
    localFolder: string,
    path: string,
    options: UploadTreeOptions = {},
  ): Promise<UploadTreeResult> {
    const session = await this.#session("uploadTree", signalOf(options));
    return await uploadTree(session, localFolder, path, options);
  }

  /** What is at a path; with `follow`, which is so unless given, what a link there leads to. */
  async stat(path: string, options: FileOptions & { follow?: boolean | undefined } = {}): Promise<FileInfo> {
    return await stat(await this.#session("stat", signalOf(options)), path, options);
  }

  /** What is in a folder, by name; `hidden`, names that begin with a dot too, which is so unless given. */
  async *list(
    path: string,
    options: FileOptions & { hidden?: boolean | undefined } = {},
  ): AsyncGenerator<FileInfo, void, undefined> {
    yield* list(await this.#session("list", signalOf(options)), path, options);
  }

  /** Makes a folder, mode 0755 unless given; with `recursive` those above too, and then it may be there already. */
  async mkdir(
    path: string,
    options: FileOptions & { recursive?: boolean | undefined; mode?: number | undefined } = {},
  ): Promise<void> {
    await mkdir(await this.#session("mkdir", signalOf(options)), path, options);
  }

  /** Removes a file, link or empty folder; with `recursive` a folder with all that is in it. */
  async remove(path: string, options: FileOptions & { recursive?: boolean | undefined } = {}): Promise<void> {
    await remove(await this.#session("remove", signalOf(options)), path, options);
  }

  /** Gives a file, folder or link another path in the same file system. `replace`, a file there, unless it is false. */
  async rename(
    from: string,
    to: string,
    options: FileOptions & { replace?: boolean | undefined } = {},
  ): Promise<void> {
    await rename(await this.#session("rename", signalOf(options)), from, to, options);
  }

  /** Makes a symbolic link at `path` that says `target`; with `replace` in place of a file or link. */
  async symlink(
    target: string,
    path: string,
    options: FileOptions & { replace?: boolean | undefined } = {},
  ): Promise<void> {
    await symlink(await this.#session("symlink", signalOf(options)), target, path, options);
  }

  /** Sets what a file is besides its contents. What is not given stays. */
  async setAttributes(path: string, options: AttributesOptions): Promise<void> {
    await setAttributes(await this.#session("setAttributes", signalOf(options)), path, options);
  }

  /** Copies a file within the guest, with its mode, owner and time; gives its size. `replace` unless it is false. */
  async copy(
    from: string,
    to: string,
    options: FileOptions & { replace?: boolean | undefined; createParents?: boolean | undefined } = {},
  ): Promise<{ bytes: number }> {
    return await copy(await this.#session("copy", signalOf(options)), from, to, options);
  }

  /**
   * Changes of a file, or in a folder but not below it, from when the first is asked for until `signal` is aborted, which
   * ends it without an error.
   */
  async *watch(path: string, options: FileOptions = {}): AsyncGenerator<FileChanges, void, undefined> {
    yield* watch(await this.#session("watch", signalOf(options)), path, options);
  }
}

function signalOf({ signal }: FileOptions): CallOptions {
  return { signal };
}
