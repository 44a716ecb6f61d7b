import type { CodedError, ErrorCode } from "../../wire/errors.ts";
import type { Audit } from "../audit/audit.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import type { Policy } from "../policy/policy.ts";
import type { RequestContext } from "../session/handler.ts";
import { fileError } from "./file-error.ts";
import { silence, silentMs } from "./held-file.ts";
import { Names } from "./names.ts";
import { Places, briefPlaces, lastingPlaces } from "./places.ts";
import { Reading } from "./reading.ts";
import { Writing } from "./writing.ts";

/** What work on files may use. */
export interface Task {
  /** Aborted when nobody waits for the work any more: it was cancelled, its host has gone, or it was silent. */
  readonly signal: AbortSignal;
  /** Lasting work says that it gets on; else it is taken for held up. */
  alive(): void;
}

export interface RunOptions<T> {
  /** Whose request it is: its signal ends the wait. */
  context?: Pick<RequestContext, "signal" | "streams">;
  /** What is recorded when it has been done or refused. */
  audit?: { operation: string; target: string };
  /** Whether this success is recorded; each is unless given. */
  isRecorded?: (value: T) => boolean;
  /** The code of errors that have none of their own. */
  otherwise?: ErrorCode;
  /** It may take as long as it likes, as long as it gets on. */
  lasting?: boolean;
  /** What is waited for before a place is taken. */
  before?: Promise<void> | undefined;
}

/** What all sessions do with files goes through here. */
export class Files {
  readonly #policy: Pick<Policy, "paths">;
  readonly audit: Audit;
  readonly names = new Names();
  readonly reading: Reading;
  readonly writing: Writing;
  readonly #brief = new Places(briefPlaces);
  readonly #lasting = new Places(lastingPlaces);
  #atWork = 0;

  constructor(policy: Pick<Policy, "paths">, audit: Audit) {
    this.#policy = policy;
    this.audit = audit;
    this.reading = new Reading(policy);
    this.writing = new Writing(policy);
  }

  /** The one in force: work keeps to the one that it began with. */
  get policy(): PathPolicy {
    return this.#policy.paths;
  }

  /** Work that has begun and not ended; held up, perhaps, by a file system that does not answer. */
  get atWork(): number {
    return this.#atWork;
  }

  /**
   * One request: counts it, and makes a CodedError of what the system says; `doing` is "write /x". It waits for a place
   * among those at work. `work` that takes long goes on, and frees what it has, when nobody waits any more; it keeps its
   * place until then, as it may hold up a thread.
   */
  async run<T>(doing: string, work: (task: Task) => Promise<T>, options: RunOptions<T> = {}): Promise<T> {
    try {
      this.policy.countOperation();
      const value = await this.#watched(doing, work, options);
      if (options.isRecorded?.(value) !== false) this.#record(options);
      return value;
    } catch (error) {
      const coded = fileError(error, doing, options.otherwise);
      this.#record(options, coded);
      throw coded;
    }
  }

  #record({ audit, context }: Pick<RunOptions<never>, "audit" | "context">, error?: CodedError): void {
    if (audit === undefined) return;
    this.audit.record({
      ...audit,
      session: context?.streams.sessionName ?? "",
      outcome: error ? "refused" : "done",
      ...(error && { error: error.wireText }),
    });
  }

  /** Settles as the work does, or when it is given up. */
  #watched<T>(doing: string, work: (task: Task) => Promise<T>, options: RunOptions<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const asked = options.context?.signal;
      const stopWatching = (): void => {
        clearTimeout(timer);
        asked?.removeEventListener("abort", onCancel);
      };
      const giveUp = (reason: Error): void => {
        stopWatching();
        task.giveUp(reason);
        reject(reason);
      };
      const onCancel = (): void => {
        giveUp(asked?.reason as Error);
      };
      const timer = setTimeout(() => {
        giveUp(silence(doing));
      }, silentMs);
      const task = new RunningTask(timer);
      if (asked?.aborted) onCancel();
      asked?.addEventListener("abort", onCancel, { once: true });
      this.#placed(work, task, options).then(resolve, reject).finally(stopWatching);
    });
  }

  async #placed<T>(
    work: (task: Task) => Promise<T>,
    task: RunningTask,
    { lasting = false, before }: Pick<RunOptions<T>, "lasting" | "before">,
  ): Promise<T> {
    if (before) await before;
    const places = lasting ? this.#lasting : this.#brief;
    const waiting = places.take(task);
    if (waiting) {
      // Others that get on are no silence.
      const sign = lasting
        ? setInterval(() => {
            task.alive();
          }, silentMs / 2)
        : undefined;
      await waiting.finally(() => {
        clearInterval(sign);
      });
    }
    this.#atWork++;
    try {
      task.throwIfGivenUp();
      return await work(task);
    } finally {
      this.#atWork--;
      places.giveBack();
    }
  }
}

/** Its signal is made when it is asked for: most work needs none. */
class RunningTask implements Task {
  readonly #timer: NodeJS.Timeout;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(timer: NodeJS.Timeout) {
    this.#timer = timer;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  alive(): void {
    if (this.#reason === undefined) this.#timer.refresh();
  }

  giveUp(reason: Error): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  throwIfGivenUp(): void {
    if (this.#reason) throw this.#reason;
  }
}
