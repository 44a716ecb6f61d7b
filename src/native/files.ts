// What Node's file functions cannot do, or take too many ways between threads for. All but exitWithin() runs in libuv's
// pool, as they do, and rejects with errors of Node's shape.

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
