import type { ServiceFunctions } from "../../native/service.ts";
import { version } from "../../version.ts";
import { serviceName } from "./command-line.ts";
import { EventLog, eventId } from "./event-log.ts";
import { explain } from "./service-error.ts";

type HostFunctions = Pick<
  ServiceFunctions,
  "runService" | "serviceRunning" | "serviceStopped" | "reportEvent"
>;

/** How long the last events may take: a stop takes a second in all. */
const flushMs = 300;

/** This process as the service. */
export class RunningService {
  readonly events: EventLog;
  readonly #functions: HostFunctions;

  private constructor(
    functions: HostFunctions,
    /** Aborted when the service is to stop. */
    readonly signal: AbortSignal,
  ) {
    this.#functions = functions;
    this.events = new EventLog(functions.reportEvent);
  }

  /** Resolves when the manager has taken this process for the service. Rejects with a ServiceError when it has not. */
  static async begin(functions: HostFunctions): Promise<RunningService> {
    const stop = new AbortController();
    await new Promise<void>((resolve, reject) => {
      functions.runService(serviceName, (event) => {
        if (event === "start") resolve();
        else if (event === "stop") stop.abort();
        else reject(explain("this is not the service", event));
      });
    });
    return new RunningService(functions, stop.signal);
  }

  running(): void {
    this.events.add("information", eventId.started, `LimiQuantix Guest Agent ${version} has started.`);
    this.#functions.serviceRunning();
  }

  /** Ends the process. A `failure` is why it cannot go on: the manager starts it again. */
  async stopped(exitCode: number, failure?: string): Promise<void> {
    if (failure === undefined)
      this.events.add("information", eventId.stopped, "LimiQuantix Guest Agent has stopped.");
    else this.events.add("error", eventId.error, `LimiQuantix Guest Agent has failed: ${failure}`);
    await this.events.flush(flushMs);
    this.#functions.serviceStopped(exitCode);
  }
}
