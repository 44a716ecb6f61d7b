import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config.ts";

/** What a running agent takes over. The rest is how it has started: its port, its folders, its log file. */
const taken = [
  "security",
  "telemetry_interval_secs",
  "telemetry_exclude_interfaces",
  "max_exec_timeout_secs",
  "max_chunk_size",
  "log_level",
] as const satisfies (keyof Config)[];

/** Who opens the trail is who starts the agent. */
const auditKeys = [
  "audit_logging",
  "audit_file",
  "audit_max_size_bytes",
  "audit_max_files",
] as const satisfies (keyof Config["security"])[];

/** What becomes of `now` when `next` is read while the agent runs; `later` is what takes effect at its next start. */
export function reloaded(now: Config, next: Config): { config: Config; changed: string[]; later: string[] } {
  const differing = (Object.keys(next) as (keyof Config)[]).filter(
    (key) => !isDeepStrictEqual(now[key], next[key]),
  );
  const isTaken = (key: keyof Config): boolean => (taken as readonly string[]).includes(key);
  const config = { ...now, ...Object.fromEntries(taken.map((key) => [key, next[key]])) };
  const audit = auditKeys.filter((key) => now.security[key] !== next.security[key]);
  return {
    config,
    changed: differing.filter(isTaken),
    later: [...differing.filter((key) => !isTaken(key)), ...audit.map((key) => `security.${key}`)],
  };
}
