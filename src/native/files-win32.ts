// What Node's file functions cannot do on Windows: open without following links, act in a folder that is open, tell what is
// there. All run in libuv's pool, and reject with errors of Node's shape, without a path, with `windowsError`. A name is one
// of a folder's: with a separator or a colon in it a TypeError is thrown. Descriptors stay open until the promise has settled.

/** NtCreateFile's, of winnt.h and ntifs.h; SYNCHRONIZE is added. */
export const access = {
  ...{ readData: 0x1, writeData: 0x2, appendData: 0x4, readExtended: 0x8 },
  ...{ readAttributes: 0x80, writeAttributes: 0x100, delete: 0x10000, readControl: 0x20000 },
} as const;
export const disposition = { open: 1, create: 2, openOrCreate: 3 } as const;
export const option = { none: 0, folder: 0x1, noFolder: 0x40 } as const;
export const attribute = { none: 0, normal: 0x80 } as const;

/** What becomes of a link at the end of the way. */
export const atEnd = { stop: 0, open: 1, refuse: 2 } as const;

/** A link on the way. */
export interface LinkOnTheWay {
  /** Which of the names it is. */
  index: number;
  /** As the system resolves it: `\??\C:\x`, `..\x`, `\??\Volume{…}\`. Whoever made it may have written anything. */
  target: string;
  isRelative: boolean;
}

/**
 * Opens `path`, names with `\` between them, below a folder that is open or a root (`\??\C:\`), each name in the folder before:
 * where one is a link (symbolic, a junction, a mounted volume) it stops there, except that one at the end is opened itself,
 * or refused with ELOOP, if so asked. "" is the folder once more. Whoever else has the file open, or will, is not disturbed.
 */
export type OpenWalk = (
  from: number | string,
  path: string,
  access: number,
  disposition: number,
  options: number,
  attributes: number,
  atEnd: number,
) => Promise<number | LinkOnTheWay>;

/** Beside the numbers of a file: where it leads if it is a link; its owner and group as S-1-5-18, "" where that is not told. */
export interface FileTexts {
  link: string;
  owner: string;
  group: string;
}

/**
 * Looks at up to 1,024 names of a folder, or, without names, at what is open: numbers as ReadEntries has them, of which the
 * owner's and the group's are 0. A link's are its own.
 */
export type LookAt = (
  fd: number,
  names?: readonly string[],
) => Promise<{ numbers: BigInt64Array; texts: FileTexts[] }>;

/** In `kinds`. */
export const kind = { file: 0, folder: 1, link: 2 } as const;

/** The next names of a folder that was opened for reading, with NUL between; none at the end. One call at a time. */
export type ReadPart = (fd: number) => Promise<{ names: string; kinds: Buffer }>;

/** EEXIST unless it may replace a file; EBUSY when somebody has one of the files open and does not share it. */
export type RenameIn = (
  from: number,
  name: string,
  to: number,
  newName: string,
  replace: boolean,
) => Promise<void>;
export type LinkIn = (from: number, name: string, to: number, newName: string) => Promise<void>;

/** A file or link, or an empty folder: EISDIR and ENOTDIR for the other; EBUSY for a mounted volume. */
export type RemoveIn = (folder: number, name: string, isFolder: boolean) => Promise<void>;

/** `print` is what is shown for `target`. EPERM without the privilege, ENOTSUP where the file system has none. */
export type SymlinkIn = (
  folder: number,
  name: string,
  target: string,
  print: string,
  isRelative: boolean,
  toFolder: boolean,
) => Promise<void>;

/** Undefined leaves it. Times in nanoseconds since 1970, of which the last two digits are lost. Of a folder only times. */
export type SetAttributes = (
  fd: number,
  readOnly: boolean | undefined,
  accessed: bigint | undefined,
  modified: bigint | undefined,
) => Promise<void>;

/** Access list, and owner as far as the agent may give files away. */
export type CopySecurity = (from: number, to: number) => Promise<void>;

/** Where what is open is, without links and short names: `\\?\C:\x`, `\\?\UNC\server\share\x`. */
export type FinalPath = (fd: number) => Promise<string>;

/** "NT AUTHORITY\SYSTEM" for S-1-5-18; "" where none has it. A domain's server may have to be asked. */
export type AccountName = (sid: string) => Promise<string>;

/** What a folder has is on disk then. */
export type SyncFolder = (folder: number) => Promise<void>;

/** All of the volume that `fd` is in is on disk then. For administrators. */
export type SyncVolume = (fd: number) => Promise<void>;

export interface WindowsFiles {
  openWalk: OpenWalk;
  lookAt: LookAt;
  readPart: ReadPart;
  renameIn: RenameIn;
  linkIn: LinkIn;
  removeIn: RemoveIn;
  symlinkIn: SymlinkIn;
  setAttributes: SetAttributes;
  copySecurity: CopySecurity;
  finalPath: FinalPath;
  accountName: AccountName;
  syncFolder: SyncFolder;
  syncVolume: SyncVolume;
}
