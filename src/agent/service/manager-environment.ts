import { fstatSync } from "node:fs";

/** What systemd, or one that does as it does, has told of itself in the environment. */
export interface ManagerEnvironment {
  /** Where it is told how the service is doing: a path, or "@" and an abstract name. */
  notifySocket: string | undefined;
  /** It ends a service that it has not heard of for so long. */
  watchdogMs: number | undefined;
  /** Standard error goes to the journal. */
  isJournal: boolean;
}

/**
 * Takes it out of `environment`: what this process starts is not the service, and must not speak for it. sd_notify(3),
 * sd_watchdog_enabled(3), systemd.exec(5).
 */
export function takeManagerEnvironment(environment: NodeJS.ProcessEnv = process.env): ManagerEnvironment {
  const take = (name: string): string | undefined => {
    const value = environment[name];
    Reflect.deleteProperty(environment, name);
    return value === "" ? undefined : value;
  };
  const notifySocket = take("NOTIFY_SOCKET");
  const watchdogMs = Number(take("WATCHDOG_USEC")) / 1000;
  const watchdogPid = take("WATCHDOG_PID");
  const stream = take("JOURNAL_STREAM");
  const isOurs = watchdogPid === undefined || watchdogPid === String(process.pid);
  return {
    notifySocket,
    watchdogMs: isOurs && watchdogMs > 0 ? watchdogMs : undefined,
    isJournal: stream !== undefined && stream === standardError(),
  };
}

/** As JOURNAL_STREAM has it: the variable is inherited, also by those whose standard error goes elsewhere. */
function standardError(): string | undefined {
  try {
    const { dev, ino } = fstatSync(2);
    return `${dev}:${ino}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EBADF") throw error;
    return undefined; // closed
  }
}
