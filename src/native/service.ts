// The service control manager of Windows, its event log and its registry. Errors have Node's shape, with what Windows says as
// `windowsError`. Only there on Windows.

export interface ServiceSettings {
  name: string;
  displayName: string;
  description: string;
  /** Quoted as CommandLineToArgvW reads it. */
  commandLine: string;
  /** After the first, the second failure and so on, the manager starts the service again; the last one repeats. */
  restartDelaysMs: readonly number[];
  /** After so long without a failure they are counted anew. */
  failuresResetSeconds: number;
  /** How long the system waits for it when it goes down. */
  preshutdownMs: number;
}

export interface ServiceStatus {
  state: "stopped" | "starting" | "running" | "stopping" | "paused";
  /** 0 when it does not run. */
  pid: number;
  /** The Windows error that it stopped with; 0 for none; 1066 when `ownExitCode` has it. */
  exitCode: number;
  ownExitCode: number;
  startType: "automatic" | "manual" | "disabled";
  commandLine: string;
}

export type EventType = "information" | "warning" | "error";

export interface ServiceFunctions {
  /**
   * Makes a service that starts with the system, as LocalSystem; or brings the one of that name up to date. `lacks` names the
   * settings that this system does not have.
   */
  installService(settings: ServiceSettings): { created: boolean; lacks: string[] };
  /** Throws with windowsError 1060 when it is not installed, as all below. */
  queryService(name: string): ServiceStatus;
  /** Comes back when the process has been started, which takes up to 30 s. */
  startService(name: string): void;
  /** Asks it to stop. */
  stopService(name: string): void;
  /** It is gone when it has stopped and nobody has it open any more. */
  removeService(name: string): void;

  /**
   * Tells the manager, which must have started this process, that it is the service. Then comes "start", and "stop" when it is
   * to stop, also because the system goes down; it has three seconds. Or an error: windowsError 1063 when it was not the
   * manager that started this process. Once in a process.
   */
  runService(name: string, onEvent: (event: "start" | "stop" | Error) => void): void;
  /** Within a minute after "start". */
  serviceRunning(): void;
  /** Says that the service has stopped, and ends the process at once. Other codes than 0 count as a failure. */
  serviceStopped(exitCode: number): void;

  /** Into the application log. `id` is 1 to 1000. Waits for the log's service, in a thread of libuv's pool. */
  reportEvent(source: string, type: EventType, id: number, text: string): Promise<void>;
  /** Registers a source: the viewer then shows its texts as they are. */
  setEventSource(name: string): void;
  removeEventSource(name: string): void;

  /** A value below HKEY_LOCAL_MACHINE; undefined when there is none. */
  readRegistry(key: string, name: string): string | number | undefined;

  /**
   * Makes a folder that only SYSTEM and Administrators may read and change, or makes that of one which is there. Throws with
   * windowsError 1307 when it belongs to somebody else, 1920 when it is a link.
   */
  protectFolder(path: string): void;
}
