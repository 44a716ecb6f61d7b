import { CodedError } from "../../wire/errors.ts";
import type { Agent } from "../agent.ts";
import type { Log } from "../log.ts";
import type { RequestContext } from "./handler.ts";
import type { Streams } from "./streams.ts";

/** A request from its arrival to its answer. Its signal is made when it is asked for: most requests need none. */
export class RunningRequest implements RequestContext {
  readonly messageId: string;
  readonly arrivedAt = performance.now();
  readonly streams: Streams;
  readonly log: Log;
  readonly agent: Agent;
  #signal: AbortSignal | undefined;
  #forget: (() => void) | undefined;
  #afterAnswer: (() => void)[] | undefined;
  #afterSent: (() => void) | undefined;

  constructor(messageId: string, streams: Streams, log: Log, agent: Agent) {
    this.messageId = messageId;
    this.streams = streams;
    this.log = log;
    this.agent = agent;
  }

  get signal(): AbortSignal {
    return (this.#signal ??= this.#makeSignal());
  }

  afterAnswer(action: () => void): void {
    (this.#afterAnswer ??= []).push(action);
  }

  afterSent(action: () => void): void {
    this.#afterSent = action;
  }

  /** What is to be called when the answer has been sent, or nobody waits for it any more; undefined when nothing is. */
  get sent(): (() => void) | undefined {
    return this.#afterSent;
  }

  /** The handler has come to its end. */
  end(): void {
    this.#forget?.();
  }

  /** The answer is queued. */
  answered(): void {
    for (const action of this.#afterAnswer ?? []) action();
  }

  #makeSignal(): AbortSignal {
    const controller = new AbortController();
    const { signal: session } = this.streams;
    const onSessionEnd = (): void => {
      controller.abort(session.reason);
    };
    if (session.aborted) onSessionEnd();
    const stayOn = this.streams.onEnd(onSessionEnd);
    const takeBack = this.streams.onCancel(this.messageId, () => {
      controller.abort(new CodedError("cancelled", "the host cancelled the request"));
    });
    this.#forget = () => {
      stayOn();
      takeBack();
    };
    return controller.signal;
  }
}
