// What Node's file functions cannot do, or take too many ways between threads for. All but readCached(), readNow() and exitWithin()
// run in libuv's pool or threads of their own, and reject with errors of Node's shape.

/**
 * The first `most` names of a folder, in the order of their bytes, that come behind `after` (all, when that is empty),
 * joined by NUL; and how many there are in the whole folder. Without `hidden` those that begin with a dot do not
 * exist. Memory is bounded by `most`, 1 to 65,536. Node's opendir() asks for the kind of each entry, and, where the
 * file system does not tell, for its lstat() in the main thread.
 */
export type ReadNames = (
  folder: string,
  after: Uint8Array,
  most: number,
  hidden: boolean,
) => Promise<{ names: Buffer; total: number }>;

/** Where in the `numbers` of an entry each stands. Times are nanoseconds since 1970; `isThere` is 0 for what has gone. */
export const entryNumber = {
  ...{ dev: 0, ino: 1, mode: 2, nlink: 3, uid: 4, gid: 5, size: 6, blocks: 7 },
  ...{ atimeNs: 8, mtimeNs: 9, ctimeNs: 10, birthtimeNs: 11, isThere: 12 },
} as const;

/** Numbers of one entry. */
export const entryNumbers = 13;

/**
 * What is at each of 1 to 1,024 names, joined by NUL, of the open folder `folder`, which stays open until then: numbers one
 * entry behind the other; and what the links lead to, each with a NUL behind it, nothing for what is no link. Rejects when one
 * of them cannot be looked at; its name is the error's path.
 */
export type ReadEntries = (
  folder: number,
  names: Buffer,
) => Promise<{ numbers: BigInt64Array; links: Buffer }>;

/** A folder on its way out. */
export interface TreeRemoval {
  /**
   * Goes on for about 50 ms; resolves to whether all of it is gone. Not to be called before the last one has settled. An
   * error has as its path what could not be removed, below the folder; EBUSY: something is mounted there, or it was moved
   * meanwhile.
   */
  step(): Promise<boolean>;
  /** Gives back what is held, when the last step has settled. */
  close(): void;
}

/**
 * Removes the folder `name` of the open folder `parent` with all that is in it: no link is followed, nothing is removed
 * behind a mount point, and memory and descriptors (some 64) are bounded however deep and large it is. `parent`
 * stays open until the last step has settled.
 */
export type RemoveTree = (parent: number, name: string) => TreeRemoval;

/** As rename(2), but rejects with EEXIST when there is something; with EINVAL where the file system cannot do that. */
export type RenameNoReplace = (from: string, to: string) => Promise<void>;

/** Where in the `facts` of a piece its numbers are: of the file as it was before, and of how many bytes were moved. */
export const fact = { count: 0, size: 1, mode: 2, modifiedSeconds: 3, modifiedNanos: 4 } as const;
export const factCount = 5;

/**
 * Fills `data` from an open file, as far as there are bytes. Resolves to false, and has done nothing, when `path` does
 * not lead to that file any more. Neither `data` nor `facts` may be touched before it settles.
 */
export type ReadPiece = (
  fd: number,
  path: string,
  offset: number,
  data: Buffer,
  facts: Float64Array,
) => Promise<boolean>;

/**
 * Does at once, in this thread, what readPiece() does, if it takes no waiting: the bytes, and what the path leads to, are in
 * memory (RWF_NOWAIT, RESOLVE_CACHED). Otherwise false, and `data` may have changed. Never throws for the file's sake. The
 * start of the file must have been read by readPiece(). Linux 5.12.
 */
export type ReadCached = (
  fd: number,
  path: string,
  offset: number,
  data: Buffer,
  facts: Float64Array,
) => boolean;

/**
 * Fills up to 16 targets one after the other, at once, in this thread, with what of the file is in memory; 0 when that is
 * nothing, it is the end, or there would be something to wait for. The descriptor does not note the time of reading any
 * more (O_NOATIME). Never throws for the file's sake.
 */
export type ReadNow = (fd: number, targets: readonly Buffer[], offset: number) => number;

/**
 * Writes `data`, likewise. `sparse`: blocks of 4 KiB of zeros behind the end of the file become a hole. What was open
 * with O_APPEND is written at the end.
 */
export type WritePiece = (
  fd: number,
  path: string,
  offset: number,
  data: Buffer,
  facts: Float64Array,
  sparse: boolean,
) => Promise<boolean>;

/**
 * Where the next data of a file are, at `offset` or behind it: `offset` itself where that is not known, the end where there
 * are none. Moves where the descriptor is.
 */
export type SeekData = (fd: number, offset: number) => Promise<number>;

/**
 * Ends the process with `code` if nothing else has after `ms`: process.exit() waits for all threads of libuv's pool, also
 * for one that a dead file system holds up.
 */
export type ExitWithin = (code: number, ms: number) => void;
/**
 * Resolves when all of the file system that `fd` is in is on disk: what was written before the call, whoever wrote it.
 * `fd` was opened for reading or writing (not O_PATH: EBADF), before what it is to tell errors of was written; it may be
 * closed at once. Rejects with an error of Node's shape, EIO or ENOSPC of what could not be written included.
 *
 * It may take for ever when a disk is gone, on a thread of its own, so it takes a deadline. With 8 that have not come
 * back, more are rejected with EAGAIN. Throws a TypeError for what is no descriptor.
 */
export type Syncfs = (fd: number) => Promise<void>;

/** What readFiles() found, in the order of the names. */
export interface ReadFilesResult {
  /** Of all files that were read. */
  content: Buffer;
  /**
   * Ten for each file: st_dev, st_ino, st_mode, st_nlink, st_uid, st_gid, st_size, the last change in nanoseconds; then
   * where its bytes begin in `content`, or -1 when it was not read, and how many there are.
   */
  numbers: BigInt64Array;
  /** For each file, of Node's shape, when it could not be opened or read; its numbers say nothing then. */
  errors: (NodeJS.ErrnoException | undefined)[];
}

/**
 * Opens up to 64 files in the folder that `folder` is a descriptor of (O_PATH will do), looks at them, and reads them whole
 * as long as all are no more than `mostBytes` (up to 1 MiB), in one go: four hops to a thread for each file would cost
 * several times as much. Links are not followed (ELOOP), and what is no regular file is not read. The descriptor stays open
 * until it resolves. Throws a TypeError for arguments that are wrong.
 */
export type ReadFiles = (
  folder: number,
  names: readonly string[],
  mostBytes: number,
) => Promise<ReadFilesResult>;

/** `nanos` counts forward from `seconds`, which are below zero before 1970. */
export interface Time {
  seconds: number;
  nanos: number;
}

/** A small file that is to be made. */
export interface NewFile {
  name: string;
  /** What it is called until it is whole. */
  temporary: string;
  content: Buffer;
  /** Permission bits, setuid and the like included. */
  mode: number;
  owner: { uid: number; gid: number } | undefined;
  modified: Time | undefined;
}

/**
 * Makes up to 64 new files in the folder that `folder` is a descriptor of (O_PATH will do), each with all that it has to get,
 * before it is renamed to its name. In one go, as readFiles(). The descriptor stays open, and the contents as they are, until
 * it resolves. Rejects with an error of Node's shape, whose path is the name of the first file that could not be made: its
 * temporary file is gone, those behind it have not been begun. Throws a TypeError for arguments that are wrong.
 */
export type PlaceFiles = (folder: number, files: readonly NewFile[]) => Promise<void>;

/** Sets the time of the last change, exactly, which Node cannot. Rejects with an error of Node's shape, without a path. */
export type SetModified = (path: string, modified: Time, follow: boolean) => Promise<void>;
