import { CodedError } from "../../wire/errors.ts";
import { type RequestName, operationName, responseOf } from "../../wire/operations.ts";
import type { Config } from "../config/config.ts";
import { effects } from "./effects.ts";
import { matchesOperation } from "./operation-pattern.ts";
import { RateLimit } from "./rate-limit.ts";

/** Which operations the host may ask for, and how often. */
export class OperationPolicy {
  /** Why an operation is refused. */
  readonly #refused: ReadonlyMap<RequestName, string>;
  readonly #rate: RateLimit | undefined;

  constructor({
    operations,
    disabled_operations,
    read_only,
    max_requests_per_second,
  }: Pick<
    Config["security"],
    "operations" | "disabled_operations" | "read_only" | "max_requests_per_second"
  >) {
    const refused = new Map<RequestName, string>();
    for (const name of Object.keys(responseOf) as RequestName[]) {
      if (effects[name] === "talk") continue;
      const has = (patterns: readonly string[]): boolean =>
        patterns.some((pattern) => matchesOperation(pattern, name));
      if (disabled_operations.includes(operationName(name)))
        refused.set(name, "security.disabled_operations has it");
      else if (has(operations.deny)) refused.set(name, "security.operations.deny has it");
      else if (operations.allow.length > 0 && !has(operations.allow))
        refused.set(name, "security.operations.allow does not have it");
      else if (read_only && effects[name] === "changes")
        refused.set(name, "security.read_only is set, and it would change something");
    }
    this.#refused = refused;
    if (max_requests_per_second > 0) this.#rate = new RateLimit(max_requests_per_second, 1000);
  }

  isAllowed(name: RequestName): boolean {
    return !this.#refused.has(name);
  }

  /** Counts a request, and says why it is refused, if it is: authorisation or rateLimit. */
  refusal(name: RequestName): CodedError | undefined {
    const why = this.#refused.get(name);
    if (why !== undefined)
      return new CodedError("authorisation", `${operationName(name)} is switched off in this guest: ${why}`);
    // What ends a conversation, or shows that there is one, must work in one that is too fast.
    if (this.#rate === undefined || effects[name] === "talk" || this.#rate.admit()) return undefined;
    return new CodedError(
      "rateLimit",
      `more than ${this.#rate.limit} requests a second (max_requests_per_second); try again later`,
    );
  }
}
