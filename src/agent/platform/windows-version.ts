import os from "node:os";
import { addon } from "../../native/addon.ts";
import type { OperatingSystem } from "./linux.ts";

const key = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";

/** Builds from this one on are Windows 11; the registry calls them Windows 10 all the same. */
const firstBuildOf11 = 22_000;

/** What the registry says; no program is started for it. */
export function operatingSystem(): OperatingSystem {
  return describeWindows((name) => addon.readRegistry(key, name));
}

/** As operatingSystem, of the values that `read` gives. */
export function describeWindows(read: (name: string) => string | number | undefined): OperatingSystem {
  const text = (name: string): string => String(read(name) ?? "");
  const build = text("CurrentBuild");
  const revision = read("UBR");
  const name = text("ProductName") || os.version();
  const isServer = text("InstallationType").startsWith("Server");
  return {
    name: Number(build) >= firstBuildOf11 && !isServer ? name.replace(/Windows 10/, "Windows 11") : name,
    // "22H2", before that "1809", and before that nothing.
    version: text("DisplayVersion") || text("ReleaseId") || build,
    kernel: revision === undefined ? os.release() : `${os.release()}.${revision}`,
    architecture: os.machine(),
  };
}
