import { realpathSync } from "node:fs";
import path from "node:path";
import { addonFile } from "../../native/addon.ts";
import type { Config } from "../config/config.ts";

/**
 * What the agent lives by, as it is named and as it really is: its config files and hooks, what it remembers, and its
 * program. Who could change that could do whatever the agent's policy says. Read at start alone.
 */
export function ownPaths(config: Config, configFiles: readonly string[], recordFolder: string): string[] {
  const named = [
    ...configFiles,
    config.pre_freeze_script_dir,
    config.post_thaw_script_dir,
    config.state_dir,
    recordFolder,
    import.meta.dirname,
    path.dirname(addonFile),
  ].map((name) => path.resolve(name));
  return [...new Set(named.flatMap((name) => [name, realPath(name)]))];
}

/** Where `name` is, or would be. */
function realPath(name: string): string {
  try {
    return realpathSync(name);
  } catch {
    const parent = path.dirname(name);
    return parent === name ? name : path.join(realPath(parent), path.basename(name));
  }
}
