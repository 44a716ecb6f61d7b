/** What every operation on the guest's files takes. Paths in the guest are absolute. */
export interface FileOptions {
  /** Gives the operation up, in the guest too; it rejects with "aborted". */
  signal?: AbortSignal | undefined;
}

/** How a file in the guest is written. */
export interface WriteOptions extends FileOptions {
  /** Permission bits, setuid and the like included; those of the file that is replaced unless given, 0644 for a new one. */
  mode?: number | undefined;
  /** Name or number; that of the file that is replaced unless given, the agent's for a new one. */
  owner?: string | number | undefined;
  /** Likewise. */
  group?: string | number | undefined;
  /** Last change; now unless given. */
  modifiedAt?: Date | undefined;
  /** Make missing folders. */
  createParents?: boolean | undefined;
  /** Blocks of zeros become holes. */
  sparse?: boolean | undefined;
  /** FileInfo.version: only if the file is still as it was then, else "agent-error" with QXGA-4020. */
  version?: string | undefined;
  /** Only if there is no file yet, else "agent-error" with QXGA-4003. */
  exclusive?: boolean | undefined;
}

export interface ReadFileOptions extends FileOptions {
  /** Gives a string instead of a Buffer. */
  encoding?: BufferEncoding | undefined;
  /** Bytes from the start; 0 unless given. */
  offset?: number | undefined;
  /** At most so many bytes; all unless given. */
  length?: number | undefined;
  /** More than this is an error, "too-large", as the guest may send without end; 256 MiB unless given. */
  maxBytes?: number | undefined;
}

export interface ReadStreamOptions extends FileOptions {
  /** Bytes from the start; 0 unless given. */
  offset?: number | undefined;
  /** At most so many bytes; all unless given. */
  length?: number | undefined;
  /** FileInfo.version: only if the file is still as it was then, and stays so, else "agent-error" with QXGA-4020. */
  version?: string | undefined;
  /** What may wait here for its reader. Unless given it begins with 256 KiB, and grows to 4 MiB where that is faster. */
  windowBytes?: number | undefined;
}

/** How far a transfer is. */
export interface Progress {
  /** Transferred so far, those of an earlier try that this one goes on with included. */
  bytes: number;
  /** Undefined where it is not known: of trees, and of files that do not tell their size. */
  totalBytes: number | undefined;
  /** Of a tree: the file that it is at, relative to the folder. Told by the guest for what comes from it. */
  name?: string | undefined;
}

/** Called at most twenty times a second, and once at the end. */
export type OnProgress = (progress: Progress) => void;

export interface StallOptions {
  /**
   * When nothing has come from the agent for so many seconds while it is waited for, the transfer is given up with
   * "timed-out". Unless given it is waited for as long as the connection lasts, as a VM may be paused for hours. It is
   * waited for at the end too, while the guest writes to its disk what has come: 60 is seldom too short. Agents without the
   * extension "files" have 30 s for each request in any case.
   */
  stallTimeoutSeconds?: number | undefined;
}

export interface TransferOptions extends StallOptions {
  /** Go on with what an earlier try left; this one leaves what it has, too, when it fails. */
  resume?: boolean | undefined;
  /** Compare the SHA-256 of the whole file at both ends. */
  checksum?: boolean | undefined;
  onProgress?: OnProgress | undefined;
}

export interface DownloadOptions extends TransferOptions, FileOptions {
  /** More than this is an error, "too-large", as the guest may send without end; no limit unless given. */
  maxBytes?: number | undefined;
}

export interface UploadOptions extends TransferOptions, WriteOptions {}

export interface DownloadTreeOptions extends FileOptions, StallOptions {
  onProgress?: OnProgress | undefined;
  /** More than this is an error, "too-large", as the guest may send without end; no limit unless given. */
  maxBytes?: number | undefined;
}

export interface UploadTreeOptions extends FileOptions, StallOptions {
  /** Name or number, for all of it; the agent's unless given. */
  owner?: string | number | undefined;
  /** Likewise. */
  group?: string | number | undefined;
  /** Owners and groups as numbered on this host. Not with owner or group. */
  keepOwner?: boolean | undefined;
  /** Make missing folders above `path` too. */
  createParents?: boolean | undefined;
  onProgress?: OnProgress | undefined;
}

export interface AttributesOptions extends FileOptions {
  /** Permission bits. Of a link they cannot be set. */
  mode?: number | undefined;
  /** Name or number. */
  owner?: string | number | undefined;
  /** Name or number. */
  group?: string | number | undefined;
  /** Last change. */
  modifiedAt?: Date | undefined;
  /** Of what a link leads to, not of the link itself; true unless given. */
  follow?: boolean | undefined;
}
