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
import type { WindowsFiles } from "./files-win32.ts";
import type { FreezeFs, GuardFreeze, ThawFs, TrimFs } from "./freeze.ts";
import type { Notify } from "./notify.ts";
import type { PortWatchConstructor, RawListenerConstructor, RawPortConstructor } from "./port.ts";
import type {
  CloseStream,
  DecodeOem,
  ForbidCoreDumps,
  LookupGroup,
  LookupUser,
  OpenPty,
  Spawn,
  LookupAccount,
  OpenStream,
  ReadEnvironment,
  SignalConsole,
} from "./process.ts";
import type { RawSamplerConstructor } from "./sampler.ts";
import type { ServiceFunctions } from "./service.ts";
import type {
  BootId,
  ClockRate,
  FindLocalUser,
  IsServiceRunning,
  NetworkAdapters,
  SetClockRate,
  SetUserPassword,
  ShutdownSystem,
  StepSystemTime,
  TellSessions,
} from "./windows.ts";

/** On each system those of the others are missing. */
interface Addon extends WindowsFiles, ServiceFunctions {
  Port: RawPortConstructor;
  Listener: RawListenerConstructor;
  PortWatch: PortWatchConstructor;
  Sampler: RawSamplerConstructor;
  openPty: OpenPty;
  spawn: Spawn;
  lookupUser: LookupUser;
  lookupGroup: LookupGroup;
  openStream: OpenStream;
  closeStream: CloseStream;
  readEnvironment: ReadEnvironment;
  lookupAccount: LookupAccount;
  signalConsole: SignalConsole;
  decodeOem: DecodeOem;
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
  notify: Notify;
  bootId: BootId;
  isServiceRunning: IsServiceRunning;
  shutdownSystem: ShutdownSystem;
  tellSessions: TellSessions;
  stepSystemTime: StepSystemTime;
  setClockRate: SetClockRate;
  clockRate: ClockRate;
  findLocalUser: FindLocalUser;
  setUserPassword: SetUserPassword;
  networkAdapters: NetworkAdapters;
}

const binary = "limiquantix.node";

/** For Windows it is only ever built elsewhere. */
const places = [
  ...(process.platform === "win32" ? [] : ["build/Release"]),
  `prebuilds/${process.platform}-${process.arch}`,
];

/** The addon's file, looked for beside the code and in each folder above it. */
function findAddon(from: string): string {
  // Where it is shipped with a program: beside it, in a folder that only root can write to.
  const beside = path.join(from, binary);
  if (existsSync(beside)) return beside;
  for (let folder = from; ; folder = path.dirname(folder)) {
    for (const place of places) {
      const file = path.join(folder, place, binary);
      if (existsSync(file)) return file;
    }
    if (folder === path.dirname(folder)) break;
  }
  throw new Error(
    `the native addon for ${process.platform}-${process.arch} was not found above ${from}; build it with: npm run build`,
  );
}

const here = import.meta.dirname;
/** Where it is. */
export const addonFile = findAddon(here);
export const addon = createRequire(path.join(here, "addon"))(addonFile) as Addon;
