import path from "node:path";

/** Where the last change of the network is remembered. */
export function recordFile(stateDir: string): string {
  return path.join(stateDir, "network", "change.json");
}
