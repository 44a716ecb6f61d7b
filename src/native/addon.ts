// Finds and loads the native addon: what was built here first, the shipped binary otherwise.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type {
  ClockNow,
  ComparePtpClock,
  IsClockSynchronised,
  SetRtc,
  SlewClock,
  StepClock,
} from "./clock.ts";
import type {
  ExitWithin,
  PlaceFiles,
  ReadEntries,
  ReadFiles,
  ReadCached,
  ReadNames,
  ReadNow,
  ReadPiece,
  RemoveTree,
  RenameNoReplace,
  SeekData,
  SetModified,
  Syncfs,
  WritePiece,
} from "./files.ts";
import type { FreezeFs, GuardFreeze, ThawFs, TrimFs } from "./freeze.ts";
import type { RawListenerConstructor, RawPortConstructor } from "./port.ts";
import type { ForbidCoreDumps, LookupGroup, LookupUser, OpenPty, Spawn } from "./process.ts";
import type { RawSamplerConstructor } from "./sampler.ts";

interface Addon {
  Port: RawPortConstructor;
  Listener: RawListenerConstructor;
  Sampler: RawSamplerConstructor;
  openPty: OpenPty;
  spawn: Spawn;
  lookupUser: LookupUser;
  lookupGroup: LookupGroup;
  readNames: ReadNames;
  readEntries: ReadEntries;
  removeTree: RemoveTree;
  readPiece: ReadPiece;
  readCached: ReadCached;
  readNow: ReadNow;
  writePiece: WritePiece;
  renameNoReplace: RenameNoReplace;
  seekData: SeekData;
  exitWithin: ExitWithin;
  forbidCoreDumps: ForbidCoreDumps;
  syncfs: Syncfs;
  readFiles: ReadFiles;
  placeFiles: PlaceFiles;
  setModified: SetModified;
  freezeFs: FreezeFs;
  thawFs: ThawFs;
  trimFs: TrimFs;
  guardFreeze: GuardFreeze;
  clockNow: ClockNow;
  stepClock: StepClock;
  slewClock: SlewClock;
  isClockSynchronised: IsClockSynchronised;
  comparePtpClock: ComparePtpClock;
  setRtc: SetRtc;
}

const binary = "limiquantix.node";

/** The addon's file, looked for beside the code and in each folder above it. */
function findAddon(from: string): string {
  const platform = `${process.platform}-${process.arch}`;
  // Where it is shipped with a program: beside it, in a folder that only root can write to.
  const beside = path.join(from, binary);
  if (existsSync(beside)) return beside;
  for (let folder = from; ; folder = path.dirname(folder)) {
    for (const place of ["build/Release", `prebuilds/${platform}`]) {
      const file = path.join(folder, place, binary);
      if (existsSync(file)) return file;
    }
    if (folder === path.dirname(folder)) break;
  }
  throw new Error(
    `the native addon for ${platform} was not found above ${from}; build it with: npm run build`,
  );
}

const here = import.meta.dirname;
export const addon = createRequire(path.join(here, "addon"))(findAddon(here)) as Addon;
