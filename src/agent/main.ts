import { addon } from "../native/addon.ts";
import { Sampler } from "../native/sampler.ts";
import { Agent } from "./agent.ts";
import { Audit } from "./audit.ts";
import { withDeadline } from "./deadline.ts";
import type { Config } from "./config/config.ts";
import { type LinkState, keepLink } from "./link.ts";
import { type Log, type LogTap, openLog } from "./log.ts";
import { forbidCoreDumps, freezer } from "./platform/index.ts";
import { RecordFile, recordFolder } from "./quiesce/record.ts";
import { type Recovery, recover } from "./quiesce/recovery.ts";
import { Telemetry } from "./telemetry/telemetry.ts";
import { transportFor } from "./transport/index.ts";
import { version } from "../version.ts";
import { poolThreads } from "./files/places.ts";

// libuv reads it when the first of its threads is needed, which is later than this. Commands do not inherit it.
process.env["UV_THREADPOOL_SIZE"] = String(poolThreads);

/** As the addon has it: for what must end although threads hang. */
export const { exitWithin } = addon;

/** How long it may take to end the commands that run. */
const killMs = 200;

/** How long the last log lines may take to be written when the agent stops. */
const logFlushMs = 200;

/** Thaws what an agent that was killed has left frozen: before anything else, since whatever writes may hang. */
export async function thawLeftovers(): Promise<Recovery | undefined> {
  return await recover(new RecordFile(recordFolder), freezer);
}

export interface RunHooks {
  /** Gets the lines of the log too. */
  logTap?: LogTap;
  /** Standard error is journald's. */
  isJournal?: boolean;
  /** Called when the agent waits for its host. */
  onRunning?: (log: Log) => void;
  /** Told in a few words where the agent stands with its host, whenever that has changed. */
  onStatus?: (text: string) => void;
}

const statusOf: Readonly<Record<LinkState, string>> = {
  "waiting-for-port": "waiting for the port",
  "host-away": "the port is open, no host is attached",
  attached: "a host is attached",
};

/**
 * Runs the agent until `signal` is aborted; `recovery` is what thawLeftovers() found. Rejects when it cannot go on; what it
 * held has been let go of.
 */
export async function runAgent(
  config: Config,
  signal: AbortSignal,
  recovery: Recovery | undefined,
  { logTap, isJournal, onRunning, onStatus }: RunHooks = {},
): Promise<void> {
  forbidCoreDumps();
  const { log, audit, flush, hold } = await openLog(config, logTap, isJournal);
  const telemetry = new Telemetry(
    () => new Sampler(),
    {
      intervalSeconds: config.telemetry_interval_secs,
      excludeInterfaces: config.telemetry_exclude_interfaces,
    },
    log,
  );
  const transport = transportFor(config.device_path, log);
  const auditing = new Audit(config.security.audit_logging ? audit : undefined);
  const agent = new Agent(config, telemetry, auditing, log, { freezer, holdLog: hold });
  try {
    log.info({ version, port: transport.description, pid: process.pid }, "limiquantix-agent starts");
    if (recovery) void agent.quiesce.recovered(recovery);
    agent.begin();
    onRunning?.(log);
    await keepLink(agent, transport, log, signal, (state) => {
      onStatus?.(`${statusOf[state]} (${transport.description})`);
    });
    log.info("limiquantix-agent stops");
  } finally {
    transport.close();
    telemetry.close();
    await withDeadline(agent.close(), killMs).catch(() => undefined);
    await flush(logFlushMs);
  }
}
