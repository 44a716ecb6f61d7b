/** What could not be done with the service, why, and what to do. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";

  constructor(
    message: string,
    /** What Windows said, if it did. */
    readonly windowsError?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** winerror.h */
export const windowsError = {
  accessDenied: 5,
  controllerConnect: 1063,
  notRunning: 1062,
  alreadyRunning: 1056,
  notInstalled: 1060,
  markedForDeletion: 1072,
  /** The exit code is the service's own. */
  ownExitCode: 1066,
  invalidOwner: 1307,
  isLink: 1920,
} as const;

const explanations: Readonly<Record<number, string>> = {
  2: "its program is not there; install the service again from where it is now",
  3: "its program is not there; install the service again from where it is now",
  [windowsError.accessDenied]:
    "that needs an administrator: run it in a command prompt that was started as one",
  1053: "it did not answer in time; see the log file and the event log",
  1055: "the service manager is busy with other services; try again",
  1058: "it is disabled; `limiquantix-agent service install` enables it",
  [windowsError.notInstalled]: "it is not installed; `limiquantix-agent service install` does that",
  [windowsError.controllerConnect]:
    "only the service manager may start it so; use `limiquantix-agent service start`, or run it without --service",
  [windowsError.markedForDeletion]:
    "it is being removed; close Services, Task Manager and Event Viewer, which may hold it, or restart the system",
  1115: "the system is going down",
};

export function windowsErrorOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("windowsError" in error)) return undefined;
  return typeof error.windowsError === "number" ? error.windowsError : undefined;
}

/** An error of the addon with what was tried, and what it means. */
export function explain(what: string, error: unknown): ServiceError {
  const code = windowsErrorOf(error);
  const reason = error instanceof Error ? error.message : String(error);
  const meaning = code === undefined ? undefined : explanations[code];
  const text = meaning === undefined ? reason : `${meaning} (Windows error ${code})`;
  return new ServiceError(`${what}: ${text}`, code, { cause: error });
}
