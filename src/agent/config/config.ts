import { existsSync } from "node:fs";
import path from "node:path";
import { programData } from "./folders.ts";
import type { ConfigFile } from "./schema.ts";

export type Config = ConfigFile;

/** Where a config file is looked for when none is named; the first there is. */
export const configPlaces =
  process.platform === "win32"
    ? [path.join(programData(), "agent.yaml")]
    : ["/etc/limiquantix/agent.yaml", "/etc/quantix-kvm/agent.yaml"];

export function findConfigFile(): string | undefined {
  return configPlaces.find((place) => existsSync(place));
}
