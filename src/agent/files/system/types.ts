import type {
  NewFile,
  ReadCached,
  ReadFilesResult,
  ReadNow,
  ReadPiece,
  SeekData,
  Syncfs,
  Time,
  TreeRemoval,
  WritePiece,
} from "../../../native/files.ts";
import type { Facts } from "../entry.ts";

/** What a file is; fs.BigIntStats are such. */
export interface FileStats extends Facts {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** An entry of a folder; fs.Dirent is one. */
export interface FolderEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** A folder that is open, and where it was then. */
export interface OpenFolder {
  readonly fd: number;
  readonly realPath: string;
}

/** What at a name of a folder is told in a listing; in the order of the names, undefined for what has gone. */
export interface Listed {
  facts: Facts;
  symlinkTarget: string;
}

/**
 * How each system does what is done with files. A name is one of the folder's, and no path; a link there is not followed
 * unless that is said. What is done in a folder is done there and nowhere else, whatever becomes of its path meanwhile. All
 * reject with errors of Node's shape: ENOENT, EEXIST.
 */
export interface FileSystem {
  /** Opens what a path leads to without reading it: nothing waits, and no device notices. */
  openPath(file: string, options: { follow: boolean }): Promise<number>;
  /** Likewise a folder, behind all links: ENOTDIR. */
  openFolder(folder: string): Promise<number>;
  /** A folder in a folder: ENOTDIR for a link. */
  enter(folder: OpenFolder, name: string): Promise<number>;
  /** An entry of a folder, likewise; a link itself. */
  openEntry(folder: OpenFolder, name: string): Promise<number>;
  /** A folder once more, likewise. */
  duplicate(fd: number): Promise<number>;
  /** A folder once more, for syncfs(). */
  openForSync(fd: number): Promise<number>;
  /** The folder or file once more, independent of the first. */
  reopen(fd: number, flags: number): Promise<number>;
  /** As open(2): ELOOP for a link. */
  open(folder: OpenFolder, name: string, flags: number, mode?: number): Promise<number>;
  /** Where what is open is: a path without links. */
  realPathOf(fd: number): Promise<string>;

  /** The real path of an entry that is there, itself; or where it would be. */
  placeOf(folder: OpenFolder, name: string): string | Promise<string>;
  /** Without it the system does not run: it is never removed. */
  isSystems(place: string): boolean;

  fstat(fd: number): Promise<FileStats>;
  lstat(folder: OpenFolder, name: string): Promise<FileStats>;
  /** Follows a link. */
  stat(folder: OpenFolder, name: string): Promise<FileStats>;
  /** EINVAL: it is none. */
  readlink(folder: OpenFolder, name: string): Promise<string>;

  mkdir(folder: OpenFolder, name: string, mode: number): Promise<void>;
  /** A file or link: EISDIR or EPERM for a folder. */
  unlink(folder: OpenFolder, name: string): Promise<void>;
  rmdir(folder: OpenFolder, name: string): Promise<void>;
  /** Replaces a file that is there. */
  rename(from: OpenFolder, name: string, to: OpenFolder, newName: string): Promise<void>;
  /** EEXIST when something is there, EINVAL or ENOSYS where the file system cannot do that. */
  renameNoReplace(from: OpenFolder, name: string, to: OpenFolder, newName: string): Promise<void>;
  link(from: OpenFolder, name: string, to: OpenFolder, newName: string): Promise<void>;
  symlink(target: string, folder: OpenFolder, name: string): Promise<void>;

  /** Of what is open, also by openPath(). */
  chmod(fd: number, mode: number): Promise<void>;
  chown(fd: number, uid: number, gid: number): Promise<void>;
  /** Seconds since 1970. */
  utimes(fd: number, accessed: number, modified: number): Promise<void>;
  setModified(fd: number, modified: Time): Promise<void>;
  /** Of what is open for writing. */
  fchmod(fd: number, mode: number): Promise<void>;
  fchown(fd: number, uid: number, gid: number): Promise<void>;
  futimes(fd: number, accessed: number | Date, modified: number): Promise<void>;
  /** Of a link itself. */
  lchown(folder: OpenFolder, name: string, uid: number, gid: number): Promise<void>;
  lutimes(folder: OpenFolder, name: string, accessed: number, modified: number): Promise<void>;
  lsetModified(folder: OpenFolder, name: string, modified: Time): Promise<void>;
  /** Who may do what with an entry may do it with `to`, which is open, where more than owner and mode says so. */
  copyAccess(folder: OpenFolder, name: string, to: number): Promise<void>;

  /** In no order. */
  entries(folder: OpenFolder): AsyncIterable<FolderEntry>;
  /** See ReadNames in src/native/files.ts. */
  readNames(
    folder: OpenFolder,
    after: Buffer,
    most: number,
    hidden: boolean,
  ): Promise<{ names: Buffer[]; total: number }>;
  list(folder: OpenFolder, names: readonly Buffer[]): Promise<(Listed | undefined)[]>;
  /** See RemoveTree. */
  removeTree(folder: OpenFolder, name: string): TreeRemoval;

  /** Afterwards what was made, renamed or removed in it is on disk. */
  syncFolder(folder: OpenFolder): Promise<void>;
  /** See Syncfs. */
  syncfs: Syncfs;
  /** Which mount an open descriptor is in. */
  mountOf(fd: number): Promise<string>;

  /** What Node's watch() takes. Events of a folder itself have the name ".", which no entry can have, or none. */
  watchedPath(fd: number, realPath: string, isFolder: boolean): string;

  readPiece: ReadPiece;
  writePiece: WritePiece;
  readCached: ReadCached;
  readNow: ReadNow;
  seekData: SeekData;
  /** Fills `data` as readPiece(), whatever its path leads to now; gives how many bytes. */
  readAt(fd: number, offset: number, data: Buffer, facts: Float64Array): Promise<number>;
  /** Writes `data` as writePiece() with `sparse`, likewise. */
  writeSparse(fd: number, offset: number, data: Buffer, facts: Float64Array): Promise<void>;
  readFiles(folder: OpenFolder, names: readonly string[], mostBytes: number): Promise<ReadFilesResult>;
  placeFiles(folder: OpenFolder, files: readonly NewFile[]): Promise<void>;
}
