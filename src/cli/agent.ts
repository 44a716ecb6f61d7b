import path from "node:path";
import { parseArgs } from "node:util";
import { configPlaces, findConfigFile } from "../agent/config/config.ts";
import { programData } from "../agent/config/folders.ts";
import { hasOnlyComments, readConfigFile } from "../agent/config/file.ts";
import { type ConfigFile, configSchema } from "../agent/config/schema.ts";
import { journalError } from "../agent/journal.ts";
import { takeManagerEnvironment } from "../agent/service/manager-environment.ts";
import type { Notifier } from "../agent/service/notifier.ts";
import type { RunningService } from "../agent/service/running-service.ts";
import { version } from "../version.ts";
import { CodedError } from "../wire/errors.ts";
import { parse, safeParse } from "valibot";

const places =
  process.platform === "win32"
    ? String.raw`                       \\.\…              this device
                       pipe:PATH          connect to a named pipe, again and again
                       pipe-listen:PATH   serve a named pipe to one host at a time
                       serial:COM3        this serial line`
    : `                       /dev/…             this device or terminal
                       unix:PATH          connect to a UNIX socket, again and again
                       unix-listen:PATH   serve a UNIX socket to one host at a time
                       serial:/dev/ttyS0  this serial line`;

const help = `limiquantix-agent: answers the host of this virtual machine over a virtio-serial port.

Usage: limiquantix-agent [options]
       limiquantix-agent audit verify [FILE…]    see audit --help
       limiquantix-agent service install|uninstall|start|stop|status    on Windows; see service --help

  --port PORT        where the host is:
                       auto               the virtio port named org.limiquantix.agent.0
                                          or org.quantix.agent.0 (default)
${places}
  --config FILE      read FILE instead of
                       ${configPlaces.join("\n                       ")}
  --log-level LEVEL  trace, debug, info (default), warn or error
  --check-config     check the config and exit: 0 when it is valid, 78 when it is not
  --print-config     print the config in force, defaults included, and exit
  --version          print the version and exit
  -h, --help         print this and exit

Logs go to standard error as JSON, to the journal of systemd as text, or as the config says. SIGTERM and SIGINT stop it within
a second; SIGHUP has it read the config again, of which nothing is taken over unless all of it is valid.
Try it without a virtual machine:
  limiquantix-agent --port unix-listen:/tmp/agent.sock &
  limiquantix-ctl ping --socket /tmp/agent.sock
`;

/** sysexits(3): the command line, and the configuration, are wrong. A service manager should not restart those. */
const exitUsage = 64;
const exitConfig = 78;

function readFlags() {
  return parseArgs({
    strict: true,
    allowPositionals: false,
    options: {
      port: { type: "string" },
      config: { type: "string" },
      "log-level": { type: "string" },
      "check-config": { type: "boolean" },
      "print-config": { type: "boolean" },
      service: { type: "boolean" }, // how the service manager of Windows starts it
      version: { type: "boolean" },
      help: { type: "boolean", short: "h" },
      // Not for people: see agent/commands/win32/signals.ts.
      "signal-console": { type: "string" },
    },
  }).values;
}

/** How long the threads that work on files may take to end. */
const exitMs = 200;

/** Not waiting for the event loop to become empty: nothing that hangs may keep a stopped agent alive. */
let leave: (code: number, failure?: string) => void = (code) => process.exit(code);

class UsageError extends Error {}

/** Of systemd, when it has started this process. */
const manager = process.platform === "win32" ? undefined : takeManagerEnvironment();

function complain(text: string): void {
  process.stderr.write(manager?.isJournal ? journalError(text) : `${text}\n`);
}

async function notifier(): Promise<Notifier | undefined> {
  const { notifySocket, watchdogMs } = manager ?? {};
  if (notifySocket === undefined) return undefined;
  const { Notifier } = await import("../agent/service/notifier.ts");
  const { addon } = await import("../native/addon.ts");
  return new Notifier((text) => addon.notify(notifySocket, text), watchdogMs);
}

type Flags = ReturnType<typeof readFlags>;

function logLevel(text: string): ConfigFile["log_level"] {
  const result = safeParse(configSchema.entries.log_level, text);
  if (result.success) return result.output;
  throw new UsageError(`--log-level ${text}: must be trace, debug, info, warn or error`);
}

/** The config file's values, or the defaults, with the flags' in their place. */
async function readConfig(flags: Flags): Promise<{ config: ConfigFile; file: string | undefined }> {
  const file = flags.config ?? findConfigFile();
  const text = file === undefined ? "" : readConfigFile(file);
  // YAML is loaded only when there is some: the agent starts in half the time without.
  const config = hasOnlyComments(text)
    ? parse(configSchema, {})
    : (await import("../agent/config/load.ts")).parseConfig(text, file ?? "");
  return {
    file,
    config: {
      ...config,
      ...(flags.port !== undefined && { device_path: flags.port }),
      ...(flags.service && config.log_file === "" && { log_file: path.join(programData(), "agent.log") }),
      ...(flags["log-level"] !== undefined && { log_level: logLevel(flags["log-level"]) }),
    },
  };
}

/** Takes this process for the service that the manager has started. Its end is told to the manager, and in the event log. */
async function beService(): Promise<RunningService> {
  if (process.platform !== "win32") throw new UsageError("--service: only Windows has such services");
  const { RunningService } = await import("../agent/service/running-service.ts");
  const { addon } = await import("../native/addon.ts");
  const service = await RunningService.begin(addon).catch((error: unknown) => {
    throw error instanceof Error ? new UsageError(error.message, { cause: error }) : error;
  });
  leave = (code, failure) => void service.stopped(code, failure);
  return service;
}

async function main(): Promise<number> {
  if (process.argv[2] === "service")
    return (await import("./service.ts")).runServiceCommand(process.argv.slice(3));
  if (process.argv[2] === "audit") {
    const configured = async (): Promise<string> => (await readConfig({})).config.security.audit_file;
    return (await import("./audit.ts")).runAuditCommand(process.argv.slice(3), configured);
  }
  let flags: Flags;
  try {
    flags = readFlags();
  } catch (error) {
    complain(`limiquantix-agent: ${(error as Error).message}\nTry: limiquantix-agent --help`);
    return exitUsage;
  }
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  if (flags.version) {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (flags["signal-console"] !== undefined) {
    (await import("../agent/commands/win32/signals.ts")).signalConsole(flags["signal-console"]);
    return 0;
  }
  const isAgent = !flags["print-config"] && !flags["check-config"];
  const service = flags.service && isAgent ? await beService() : undefined;
  // Before anything that can fail: a config that is wrong must not leave the guest frozen.
  const recovery = isAgent ? await (await import("../agent/main.ts")).thawLeftovers() : undefined;
  const { config, file } = await readConfig(flags);
  if (flags["print-config"]) {
    const { stringify } = await import("yaml");
    process.stdout.write(`# ${file ?? "defaults; there is no config file"}\n${stringify(config)}`);
    return 0;
  }
  if (flags["check-config"]) {
    process.stdout.write(`${file ?? "no config file; the defaults"}: valid\n`);
    return 0;
  }
  const stop = new AbortController();
  // The last is Ctrl+Break of a console of Windows.
  for (const signal of [
    "SIGTERM",
    "SIGINT",
    ...(process.platform === "win32" ? (["SIGBREAK"] as const) : []),
  ] as const) {
    process.on(signal, () => {
      stop.abort();
    });
  }
  // Until it is what has the config read again; and a terminal that closes is no reason to leave the host alone.
  process.on("SIGHUP", () => undefined);
  const origin = {
    configFiles: flags.config === undefined ? configPlaces : [flags.config],
    rereadConfig: async () => (await readConfig(flags)).config,
  };
  const { exitWithin, runAgent } = await import("../agent/main.ts");
  if (service) {
    const signal = AbortSignal.any([stop.signal, service.signal]);
    await runAgent(config, signal, recovery, {
      ...origin,
      logTap: service.events,
      onRunning: () => {
        service.running();
      },
    });
    return 0;
  }
  leave = (code) => {
    exitWithin(code, exitMs);
    process.exit(code);
  };
  const told = await notifier();
  stop.signal.addEventListener("abort", () => {
    told?.stopping();
  });
  await runAgent(config, stop.signal, recovery, {
    ...origin,
    isJournal: manager?.isJournal ?? false,
    onRunning: (log) => {
      told?.ready(log);
    },
    onStatus: (text) => {
      told?.status(text);
    },
  });
  return 0;
}

main().then(
  (code) => {
    leave(code);
  },
  (error: unknown) => {
    if (error instanceof UsageError) {
      complain(`limiquantix-agent: ${error.message}\nTry: limiquantix-agent --help`);
      leave(exitUsage, error.message);
      return;
    }
    const text =
      error instanceof CodedError
        ? error.wireText
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    complain(`limiquantix-agent: ${text}`);
    leave(error instanceof CodedError && error.code.startsWith("config") ? exitConfig : 1, text);
  },
);
