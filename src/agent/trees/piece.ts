/** What is told of something in a tree; of fs.BigIntStats. */
export interface PieceStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** Something in a tree, as it is packed. */
export type Piece = {
  /** Relative to the tree; "" for the top itself. */
  name: string;
  stats: PieceStats;
} & (
  | { type: "directory" }
  | { type: "symlink"; target: string }
  /** A small file, read. */
  | { type: "file"; content: Buffer }
  /** A large one, open for reading; who has it closes it. */
  | { type: "large-file"; fd: number }
);
