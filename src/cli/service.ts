import path from "node:path";
import { parseArgs } from "node:util";
import { programData } from "../agent/config/folders.ts";
import { serviceCommandLine } from "../agent/service/command-line.ts";
import { EventLog, eventId } from "../agent/service/event-log.ts";
import { ServiceError, windowsError } from "../agent/service/service-error.ts";
import { ServiceManager } from "../agent/service/service-manager.ts";
import { addon } from "../native/addon.ts";
import type { ServiceStatus } from "../native/service.ts";
import { CodedError } from "../wire/errors.ts";

const help = `limiquantix-agent service: the agent as a service of Windows, which starts with the system.

Usage: limiquantix-agent service install [--config FILE] [--port PORT] [--log-level LEVEL] [--json]
       limiquantix-agent service start|stop|status [--json]
       limiquantix-agent service uninstall [--remove-state] [--json]

  install     make the service, or bring it up to date: it runs this program, with these options, as
              LocalSystem, and is started again when it fails. It is not started now.
  uninstall   stop it and remove it; config, log and state in ${programData()} stay,
              with --remove-state only the config, also when it is not installed any more
  start       start it, and wait until it runs
  stop        stop it, and wait until it has ended
  status      its state; the exit code is 0 when it runs, 3 when it does not, 4 when it is not installed
  --json      for programs

All but status need an administrator. It logs to ${path.win32.join(programData(), "agent.log")}, unless the config names
another file, and what matters to the event log, as "limiquantix-agent".
`;

export const serviceExit = {
  ok: 0,
  failed: 1,
  notRunning: 3,
  notInstalled: 4,
  permission: 5,
  usage: 64,
  interrupted: 130,
} as const;

const eventLogMs = 1_000;

/** What is for one action only. */
const ownOptions = {
  config: "install",
  port: "install",
  "log-level": "install",
  "remove-state": "uninstall",
} as const;

function readLine(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: true,
    options: {
      config: { type: "string" },
      port: { type: "string" },
      "log-level": { type: "string" },
      "remove-state": { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
}

type Line = ReturnType<typeof readLine>;

/** Carries out `limiquantix-agent service ARGS` and gives the exit code. */
export async function runServiceCommand(args: readonly string[]): Promise<number> {
  let line: Line;
  try {
    line = readLine(args);
  } catch (error) {
    return wrongLine((error as Error).message);
  }
  const { values, positionals } = line;
  const [action = "", ...more] = positionals;
  if (values.help || action === "help") {
    process.stdout.write(help);
    return serviceExit.ok;
  }
  const carryOut = Object.hasOwn(actions, action) ? actions[action as keyof typeof actions] : undefined;
  if (carryOut === undefined || more.length > 0)
    return wrongLine("one of install, uninstall, start, stop and status is needed");
  const foreign = Object.entries(ownOptions).find(
    ([name, owner]) => owner !== action && values[name as keyof typeof ownOptions] !== undefined,
  );
  if (foreign !== undefined) return wrongLine(`--${foreign[0]} is for service ${foreign[1]}`);
  if (process.platform !== "win32")
    return wrongLine(
      "only Windows has such services; here systemd runs the agent: systemctl status limiquantix-agent",
    );

  const interrupted = new AbortController();
  process.on("SIGINT", () => {
    interrupted.abort();
  });
  const json = values.json ?? false;
  try {
    return await carryOut({
      manager: new ServiceManager(addon),
      values,
      signal: interrupted.signal,
      tell: (text, value) => {
        process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`);
      },
    });
  } catch (error) {
    if (interrupted.signal.aborted) return serviceExit.interrupted;
    const message = messageOf(error);
    if (action === "install") await tellEventLog(message);
    return report(error, message, json);
  }
}

interface Work {
  manager: ServiceManager;
  values: Line["values"];
  signal: AbortSignal;
  /** Prints a line for people, or a value for programs. */
  tell: (text: string, value: object) => void;
}

const actions = {
  install: async ({ manager, values, tell }: Work): Promise<number> => {
    const options = await serviceOptions(values);
    const commandLine = serviceCommandLine(process.execPath, await ownScript(), options);
    const { created, lacks } = manager.install(commandLine, programData());
    const note = lacks.length > 0 ? `; this system has no: ${lacks.join(", ")}` : "";
    tell(`${created ? "installed" : "updated"}: ${commandLine}${note}`, { created, commandLine, lacks });
    return serviceExit.ok;
  },
  uninstall: async ({ manager, values, signal, tell }: Work): Promise<number> => {
    const removesState = values["remove-state"] ?? false;
    if (!removesState || manager.status() !== undefined) await manager.uninstall(signal);
    if (removesState) {
      manager.protect(programData()); // nothing is removed from a folder of somebody else's
      await (await import("../agent/service/remains.ts")).removeRemains(programData());
    }
    tell("uninstalled", { installed: false });
    return serviceExit.ok;
  },
  start: async ({ manager, signal, tell }: Work): Promise<number> => {
    await manager.start(signal);
    return tellStatus(manager, tell);
  },
  stop: async ({ manager, signal, tell }: Work): Promise<number> => {
    await manager.stop(signal);
    tellStatus(manager, tell);
    return serviceExit.ok;
  },
  status: ({ manager, tell }: Work): Promise<number> => Promise.resolve(tellStatus(manager, tell)),
};

/** What Node.js runs as this program; a single executable has none. */
async function ownScript(): Promise<string | undefined> {
  // Before Node.js 20.12 there is no such module, and no such executable that could be asked.
  const { isSea } = await import("node:sea").catch(() => ({ isSea: () => false }));
  return isSea() ? undefined : process.argv[1];
}

/** What the service is to be started with. A config that is wrong is told now, not when it starts. */
async function serviceOptions(values: Line["values"]): Promise<string[]> {
  const { config, port, "log-level": logLevel } = values;
  const options: string[] = [];
  if (config !== undefined) {
    const file = path.resolve(config); // the service starts in another folder
    (await import("../agent/config/load.ts")).loadConfig(file);
    options.push("--config", file);
  }
  if (port !== undefined) options.push("--port", port);
  if (logLevel !== undefined) options.push("--log-level", logLevel);
  return options;
}

function tellStatus(manager: ServiceManager, tell: Work["tell"]): number {
  const status = manager.status();
  if (status === undefined) {
    tell("not installed", { installed: false });
    return serviceExit.notInstalled;
  }
  tell(describe(status), { installed: true, ...status });
  return status.state === "running" ? serviceExit.ok : serviceExit.notRunning;
}

function describe({ state, pid, exitCode, ownExitCode, startType, commandLine }: ServiceStatus): string {
  const code = exitCode === windowsError.ownExitCode ? ownExitCode : exitCode;
  const detail = pid !== 0 ? `, process ${pid}` : code !== 0 ? `, exit code ${code}` : "";
  return `${state}${detail}; start: ${startType}; ${commandLine}`;
}

function wrongLine(problem: string): number {
  process.stderr.write(`limiquantix-agent: ${problem}\nTry: limiquantix-agent service --help\n`);
  return serviceExit.usage;
}

/** Nobody sees what an installer of packages runs; this does not wait for long. */
async function tellEventLog(message: string): Promise<void> {
  const events = new EventLog((...event) => addon.reportEvent(...event));
  events.add("error", eventId.error, message);
  await events.flush(eventLogMs);
}

function messageOf(error: unknown): string {
  if (error instanceof CodedError) return error.wireText;
  if (error instanceof ServiceError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function report(error: unknown, message: string, json: boolean): number {
  process.stderr.write(`limiquantix-agent: ${message}\n`);
  const code = error instanceof ServiceError ? error.windowsError : undefined;
  if (json)
    process.stdout.write(
      `${JSON.stringify({ error: { message, ...(code !== undefined && { windowsError: code }) } })}\n`,
    );
  if (code === windowsError.notInstalled) return serviceExit.notInstalled;
  return code === windowsError.accessDenied ? serviceExit.permission : serviceExit.failed;
}
