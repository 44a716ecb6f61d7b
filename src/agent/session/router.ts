import { CodedError } from "../../wire/errors.ts";
import type { Envelope } from "../../wire/envelope.ts";
import type { RequestName } from "../../wire/operations.ts";
import { operationName, responseOf } from "../../wire/operations.ts";
import type { Policy } from "../policy/policy.ts";
import type { Handlers, RequestContext } from "./handler.ts";
import { failureOf, toCodedError } from "./failure.ts";

/** Requests of one session that may run at the same time; more are refused at once. */
export const maxConcurrentRequests = 256;

/** Runs a request's handler and gives the payload of its one reply, whatever happens. Never rejects. */
export class Router {
  readonly #handlers: Handlers;
  readonly #policy: Pick<Policy, "operations">;
  readonly #refusal: (name: RequestName) => CodedError | undefined;
  #running = 0;

  /** `refusal`: why one is refused for now, if it is. */
  constructor(
    handlers: Handlers,
    policy: Pick<Policy, "operations">,
    refusal: (name: RequestName) => CodedError | undefined = () => undefined,
  ) {
    this.#handlers = handlers;
    this.#policy = policy;
    this.#refusal = refusal;
  }

  /** Those that work, as the .proto names them. */
  get operations(): string[] {
    return (Object.keys(this.#handlers) as RequestName[])
      .filter((name) => this.#policy.operations.isAllowed(name))
      .map(operationName);
  }

  /**
   * A handler that answers at once is answered in the same turn. `request` is the envelope's field `name`, so it has
   * the type that this handler takes.
   */
  route(name: RequestName, request: unknown, context: RequestContext): Envelope | Promise<Envelope> {
    const handler = this.#handlers[name] as
      ((request: unknown, context: RequestContext) => unknown) | undefined;
    if (handler === undefined) {
      return failureOf(name, new CodedError("unknownType", `${name} is not supported by this agent`));
    }
    const refusal = this.#policy.operations.refusal(name) ?? this.#refusal(name);
    if (refusal) return this.#failed(name, refusal, context);
    if (this.#running >= maxConcurrentRequests) {
      const message = `${maxConcurrentRequests} requests are running already; wait for one to finish`;
      return failureOf(name, new CodedError("rateLimit", message));
    }
    try {
      const response = handler(request, context);
      if (!(response instanceof Promise)) return { [responseOf[name]]: response };
      this.#running++;
      return response
        .then(
          (value: unknown): Envelope => ({ [responseOf[name]]: value }),
          (error: unknown) => this.#failed(name, error, context),
        )
        .finally(() => this.#running--);
    } catch (error) {
      return this.#failed(name, error, context);
    }
  }

  #failed(name: RequestName, error: unknown, { log }: RequestContext): Envelope {
    const coded = toCodedError(error);
    log.warn({ request: name, err: coded.cause ?? coded }, coded.wireText);
    return failureOf(name, coded);
  }
}
