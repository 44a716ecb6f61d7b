// File systems that stand still, and what a disk can forget. Each call has a thread of its own, which a dead disk may hold
// up for ever. Errors have Node's shape; their syscall is the request.

/**
 * Writes the file system out, in which `fd` has a file or folder open, and stops all writing to it (FIFREEZE). EBUSY: it is
 * frozen already. EOPNOTSUPP: its kind cannot be frozen.
 */
export type FreezeFs = (fd: number) => Promise<unknown>;

/** Lets it be written to again (FITHAW). EINVAL: it is not frozen. */
export type ThawFs = (fd: number) => Promise<unknown>;

/**
 * Tells the disk which blocks are unused (FITRIM), in free ranges of at least that size; resolves to how many bytes.
 * EOPNOTSUPP, ENOTTY: the disk, or the kind of file system, has no such thing. With 16 on their way more get EAGAIN.
 */
export type TrimFs = (fd: number, minimumBytes: number) => Promise<number>;

/** What may be written to a guard. */
export const guardWord = {
  /** All is frozen now. */
  frozen: "f",
  /** It ends, and thaws nothing. */
  release: "r",
} as const;

/**
 * Starts a process that thaws what the descriptors have open, the last first, when the descriptor that this gives is closed
 * without a word: by this process's end, however it ends. And when it has taken longer than `freezingSeconds` until all is
 * frozen, or `frozenSeconds` from then on. It takes the milliseconds of a fork. Signals other than SIGKILL do not end it.
 */
export type GuardFreeze = (
  descriptors: readonly number[],
  freezingSeconds: number,
  frozenSeconds: number,
) => number;
