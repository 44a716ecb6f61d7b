import type { Request, RequestName, Response } from "../../wire/operations.ts";
import type { Agent } from "../agent.ts";
import type { Log } from "../log.ts";

/** What a handler may use besides its request. */
export interface RequestContext {
  /** Aborted when the host goes away, another session begins or the agent stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly agent: Agent;
}

/**
 * Answers one kind of request. Framing, ids, and turning what it throws into the operation's own error response
 * are not its business.
 */
export type Handler<R extends RequestName> = (
  request: Request<R>,
  context: RequestContext,
) => Response<R> | Promise<Response<R>>;

export type Handlers = { readonly [R in RequestName]?: Handler<R> };
