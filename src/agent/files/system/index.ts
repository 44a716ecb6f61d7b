import { system as linux } from "./linux.ts";
import type { FileSystem } from "./types.ts";
import { system as win32 } from "./win32.ts";

/** The choice is made here and nowhere else. */
export const system: FileSystem = process.platform === "win32" ? win32 : linux;
export type { FileStats, FileSystem, FolderEntry, OpenFolder } from "./types.ts";
