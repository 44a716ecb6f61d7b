import type { FileInfo } from "./file-info.ts";

export interface TransferResult {
  /** Of the whole file. */
  bytes: number;
  /** In hexadecimal, with `checksum`; both ends had the same. */
  sha256: string | undefined;
  /** The file in the guest: as it was when it was read, or as it is now that it was written. */
  info: FileInfo;
  /** What an earlier try had brought; 0 when this one began at the start. */
  resumedAt: number;
}

/** What was left out of a tree: sockets, FIFOs and devices, and what could not be read. */
interface LeftOut {
  /** Path and why, the first hundred. From the guest: untrusted. */
  skipped: string[];
  skippedCount: number;
}

export interface DownloadTreeResult extends LeftOut {
  /** Hard links among them count each. */
  files: number;
  folders: number;
  /** Symbolic ones. */
  links: number;
  /** Of the files' contents. */
  bytes: number;
}

export interface UploadTreeResult extends LeftOut {
  /** Files, folders and links that were written. */
  entries: number;
  /** Of the files' contents. */
  bytes: number;
}

export interface FileChanges {
  changes: {
    /** Of the watched folder's entry, or of the file itself. Untrusted. */
    name: string;
    /** Made, removed or renamed; else its contents or attributes were changed. */
    renamed: boolean;
  }[];
  /** More has changed than is told here. */
  overflow: boolean;
}
