import type { Request, RequestName, Response } from "../../wire/operations.ts";
import type { Agent } from "../agent.ts";
import type { Log } from "../log.ts";
import type { Streams } from "./streams.ts";

/** What a handler may use besides its request. */
export interface RequestContext {
  readonly messageId: string;
  /** Milliseconds of performance.now(). */
  readonly arrivedAt: number;
  /** Aborted when the request is cancelled, the host goes away, another session begins or the agent stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly agent: Agent;
  /** What the session goes on with when the request has been answered. */
  readonly streams: Streams;
  /** Runs `action` when the answer is queued: what a stream sends must come behind it. */
  afterAnswer(action: () => void): void;
  /**
   * Runs `action`, the last one given, once: when the port has taken the whole answer, so that it reaches the host even if
   * the agent ends now; or when there is nobody to answer any more. A host that does not read can make that never.
   */
  afterSent(action: () => void): void;
}

/**
 * Answers one kind of request. Framing, ids, and turning what it throws into the operation's own error response
 * are not its business. Bytes in a request are the port's memory, which is used again: what a handler needs of them after
 * its first turn it copies.
 */
export type Handler<R extends RequestName> = (
  request: Request<R>,
  context: RequestContext,
) => Response<R> | Promise<Response<R>>;

export type Handlers = { readonly [R in RequestName]?: Handler<R> };
