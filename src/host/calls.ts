import type { AgentMessage } from "../wire/envelope.ts";
import { HostError } from "./errors.ts";
import { longestTimerMs } from "./waiting.ts";

interface Call {
  settle(message: AgentMessage): void;
  reject(error: Error): void;
  stop(): void;
}

export interface CallOptions {
  /** Gives the call up; the agent may still carry it out. */
  signal?: AbortSignal | undefined;
  /** Seconds until the call fails with "timed-out"; 30 unless given, Infinity for no limit. */
  timeoutSeconds?: number | undefined;
}

export const defaultTimeoutSeconds = 30;

/** The calls that wait for a reply, by message_id. */
export class Calls {
  readonly #waiting = new Map<string, Call>();

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * What `read` makes of the reply to `id`, in the turn in which it comes: before any message behind it. Rejects at the
   * deadline, when aborted, when `read` throws, and with whatever fail() or failAll() says.
   */
  reply<T>(
    id: string,
    what: string,
    { signal, timeoutSeconds = defaultTimeoutSeconds }: CallOptions,
    read: (message: AgentMessage) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#take(id)?.reject(error);
      };
      const late = (): void => {
        fail(new HostError("timed-out", `${what} was not answered within ${timeoutSeconds} s`));
      };
      const timer =
        timeoutSeconds * 1000 > longestTimerMs ? undefined : setTimeout(late, timeoutSeconds * 1000);
      const abort = (): void => {
        fail(new HostError("aborted", `${what} was given up`, { cause: signal?.reason }));
      };
      const stop = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      const call: Call = {
        settle(message) {
          try {
            resolve(read(message));
          } catch (error) {
            call.reject(error as Error);
          }
        },
        reject,
        stop,
      };
      this.#waiting.set(id, call);
      signal?.addEventListener("abort", abort, { once: true });
      if (signal?.aborted) abort();
    });
  }

  /** Gives a reply to its call; false when nobody waits for it. */
  settle(message: AgentMessage): boolean {
    const call = this.#take(message.messageId);
    call?.settle(message);
    return call !== undefined;
  }

  fail(id: string, error: Error): boolean {
    const call = this.#take(id);
    call?.reject(error);
    return call !== undefined;
  }

  failAll(error: Error): void {
    for (const id of [...this.#waiting.keys()]) this.fail(id, error);
  }

  #take(id: string): Call | undefined {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    call?.stop();
    return call;
  }
}
