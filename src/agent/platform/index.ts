import * as linux from "./linux.ts";
import * as win32 from "./win32.ts";

// Both have the same exports; the choice is made here, and for commands in commands.ts, and nowhere else.
export const {
  accountOf,
  deviceTransport,
  forbidCoreDumps,
  freezer,
  networkSystem,
  operatingSystem,
  passwordSetter,
  powerSystem,
  readBootId,
  placeTransports,
  systemClock,
  systemFeatures,
} = process.platform === "win32" ? win32 : linux;
export type { OperatingSystem } from "./linux.ts";
