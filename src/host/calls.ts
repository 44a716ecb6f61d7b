import type { AgentMessage } from "../wire/envelope.ts";
import { HostError } from "./errors.ts";

interface Call {
  resolve(message: AgentMessage): void;
  reject(error: Error): void;
  stop(): void;
}

export interface CallOptions {
  /** Gives the call up; the agent may still carry it out. */
  signal?: AbortSignal | undefined;
  /** Seconds until the call fails with "timed-out"; 30 unless given. */
  timeoutSeconds?: number | undefined;
}

export const defaultTimeoutSeconds = 30;

/** The calls that wait for a reply, by message_id. */
export class Calls {
  readonly #waiting = new Map<string, Call>();

  get size(): number {
    return this.#waiting.size;
  }

  /** The reply to `id`: rejects at the deadline, when aborted, and with whatever fail() or failAll() says. */
  reply(
    id: string,
    what: string,
    { signal, timeoutSeconds = defaultTimeoutSeconds }: CallOptions,
  ): Promise<AgentMessage> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#take(id)?.reject(error);
      };
      const timer = setTimeout(() => {
        fail(new HostError("timed-out", `${what} was not answered within ${timeoutSeconds} s`));
      }, timeoutSeconds * 1000);
      const abort = (): void => {
        fail(new HostError("aborted", `${what} was given up`, { cause: signal?.reason }));
      };
      const stop = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      this.#waiting.set(id, { resolve, reject, stop });
      signal?.addEventListener("abort", abort, { once: true });
      if (signal?.aborted) abort();
    });
  }

  /** Gives a reply to its call; false when nobody waits for it. */
  settle(message: AgentMessage): boolean {
    const call = this.#take(message.messageId);
    call?.resolve(message);
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
