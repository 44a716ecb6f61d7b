import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceFunctions, ServiceStatus } from "../../native/service.ts";
import { serviceName } from "./command-line.ts";
import { ServiceError, explain, windowsError, windowsErrorOf } from "./service-error.ts";

/** What the addon has for it; tests give their own. */
export type ServiceControl = Pick<
  ServiceFunctions,
  | "installService"
  | "queryService"
  | "startService"
  | "stopService"
  | "removeService"
  | "setEventSource"
  | "removeEventSource"
  | "protectFolder"
>;

export interface Deadlines {
  startMs: number;
  stopMs: number;
  removeMs: number;
}

/** The agent gives up its own start after a minute, and is ended three seconds after it was asked to stop. */
const usualDeadlines: Deadlines = { startMs: 65_000, stopMs: 10_000, removeMs: 5_000 };

const pollMs = 20;

/** A service that fails comes back: soon at first, then at most once a minute. */
const restarting = { restartDelaysMs: [1_000, 5_000, 60_000], failuresResetSeconds: 86_400 };

/** How long the system waits for the agent when it goes down; Windows' own default is ten times as much. */
const preshutdownMs = 10_000;

export interface Installation {
  created: boolean;
  /** Settings that this system does not have. */
  lacks: string[];
}

/** The agent's service. What fails throws a ServiceError. */
export class ServiceManager {
  readonly #control: ServiceControl;
  readonly #deadlines: Deadlines;
  readonly #isAlive: (pid: number) => boolean;

  constructor(control: ServiceControl, deadlines = usualDeadlines, isAlive = isProcessAlive) {
    this.#control = control;
    this.#deadlines = deadlines;
    this.#isAlive = isAlive;
  }

  /** Also when it is installed already. `folder` is where its config and log are: nobody else may write there. */
  install(commandLine: string, folder: string): Installation {
    const installation = attempt("the service was not installed", () =>
      this.#control.installService({
        name: serviceName,
        displayName: "LimiQuantix Guest Agent",
        description: "Answers the host of this virtual machine: state, commands, files, shutdown.",
        commandLine,
        ...restarting,
        preshutdownMs,
      }),
    );
    try {
      this.protect(folder);
      attempt("the event source was not registered", () => {
        this.#control.setEventSource(serviceName);
      });
    } catch (error) {
      if (installation.created) this.#control.removeService(serviceName);
      throw error;
    }
    return installation;
  }

  /** Stops it first, and waits until its process has ended: then its files can be removed. */
  async uninstall(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    attempt("the service was not removed", () => {
      this.#control.removeService(serviceName);
    });
    await this.#until(signal, this.#deadlines.removeMs, {
      met: () => this.status() === undefined,
      otherwise:
        "the service is stopped, and removed when all have closed it: close Services and Task Manager, or restart the system",
    });
    attempt("the event source was not removed", () => {
      this.#control.removeEventSource(serviceName);
    });
  }

  /** Resolves when it runs, also when it did before. */
  async start(signal: AbortSignal): Promise<void> {
    const what = "the service was not started";
    attempt(what, () => {
      ignoring(windowsError.alreadyRunning, () => {
        this.#control.startService(serviceName);
      });
    });
    await this.#until(signal, this.#deadlines.startMs, {
      met: () => {
        const status = this.#installed(what);
        if (status.state === "stopped") throw new ServiceError(`${what}: ${endOf(status)}`);
        return status.state === "running";
      },
      otherwise: `the service still starts after ${this.#deadlines.startMs / 1000} s; see its log file`,
    });
  }

  /** Resolves when its process has ended, also when it did not run. */
  async stop(signal: AbortSignal): Promise<void> {
    const what = "the service was not stopped";
    const { pid } = this.#installed(what);
    await this.#until(signal, this.#deadlines.stopMs, {
      met: () => {
        const { state } = this.#installed(what);
        if (state === "running" || state === "paused") {
          attempt(what, () => {
            ignoring(windowsError.notRunning, () => {
              this.#control.stopService(serviceName);
            });
          });
        }
        return state === "stopped" && (pid === 0 || !this.#isAlive(pid));
      },
      otherwise: `the service (process ${pid}) has not stopped after ${this.#deadlines.stopMs / 1000} s; end it with taskkill /f /pid ${pid}`,
    });
  }

  /** Undefined when it is not installed. */
  status(): ServiceStatus | undefined {
    try {
      return this.#control.queryService(serviceName);
    } catch (error) {
      const code = windowsErrorOf(error);
      if (code === windowsError.notInstalled || code === windowsError.markedForDeletion) return undefined;
      throw explain("the service's state is not known", error);
    }
  }

  #installed(what: string): ServiceStatus {
    return attempt(what, () => this.#control.queryService(serviceName));
  }

  /** Makes the folder, or one that is there, such that nobody else may write there; not that of somebody else. */
  protect(folder: string): void {
    try {
      this.#control.protectFolder(folder);
    } catch (error) {
      const code = windowsErrorOf(error);
      if (code !== windowsError.invalidOwner && code !== windowsError.isLink)
        throw explain(`the folder ${folder} was not made`, error);
      throw new ServiceError(
        `the folder ${folder} was made by somebody who is no administrator; whoever can write its agent.yaml can do ` +
          "anything here: look at what is in it, remove it, and try again",
        code,
        { cause: error },
      );
    }
  }

  async #until(
    signal: AbortSignal,
    deadlineMs: number,
    { met, otherwise }: { met: () => boolean; otherwise: string },
  ): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (!met()) {
      if (performance.now() > end) throw new ServiceError(otherwise);
      await sleep(pollMs, undefined, { signal });
    }
  }
}

/** Why a service that was to start has stopped. */
function endOf({ exitCode, ownExitCode }: ServiceStatus): string {
  const code =
    exitCode === windowsError.ownExitCode ? `exit code ${ownExitCode}` : `Windows error ${exitCode}`;
  return `it stopped at once (${code}); the event log and its log file say why`;
}

function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explain(what, error);
  }
}

function ignoring(code: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (windowsErrorOf(error) !== code) throw error;
  }
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
