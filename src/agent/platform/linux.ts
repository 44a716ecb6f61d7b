import { readFileSync } from "node:fs";
import os from "node:os";
import { addon } from "../../native/addon.ts";
import type { Tools } from "../tools/tools.ts";
import { type PasswordSetter, Passwords } from "../users/passwords.ts";
import type { NetworkSystem } from "../network/backends/backend.ts";

export { accountOf } from "../users/account.ts";

/** Loaded when it is needed. */
export async function networkSystem(): Promise<NetworkSystem> {
  return (await import("../network/backends/linux.ts")).system;
}
export { linuxFreezer as freezer } from "../quiesce/freezer.ts";
export { systemFeatures } from "./features-linux.ts";
export { systemClock } from "../clock/linux.ts";
export { powerSystem } from "../power/linux.ts";
export { readBootId } from "../boot-id.ts";
export { deviceTransport, placeTransports } from "../transport/linux.ts";

export interface OperatingSystem {
  /** "Debian GNU/Linux" */
  name: string;
  /** "12" */
  version: string;
  /** "6.1.0-56-amd64" */
  kernel: string;
  architecture: string;
}

/** Who sets passwords here. */
export function passwordSetter(tools: Tools): PasswordSetter {
  return new Passwords(tools);
}

export const { forbidCoreDumps } = addon;

/** Read at start, before any file system can be frozen. systeminformation answers the same in 40 ms more. */
export function operatingSystem(): OperatingSystem {
  const release = osRelease();
  return {
    name: release.get("NAME") ?? os.type(),
    version: release.get("VERSION_ID") ?? "",
    kernel: os.release(),
    architecture: os.machine(),
  };
}

/** os-release(5): NAME=value lines, shell-quoted. */
function osRelease(): Map<string, string> {
  for (const file of ["/etc/os-release", "/usr/lib/os-release"]) {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      continue; // a minimal image has none
    }
    return new Map(
      [...text.matchAll(/^([A-Z0-9_]+)=(["']?)(.*)\2\s*$/gm)].map(([, name = "", , value = ""]) => [
        name,
        value,
      ]),
    );
  }
  return new Map();
}
