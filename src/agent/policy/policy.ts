import type { Config } from "../config/config.ts";
import { CommandPolicy } from "./command-policy.ts";
import { OperationPolicy } from "./operation-policy.ts";
import { PathPolicy } from "./path-policy.ts";

/**
 * What root in the guest lets the host do. It is replaced as a whole: what has begun goes on under the rules that it began
 * with, and limits count anew.
 */
export class Policy {
  #operations!: OperationPolicy;
  #commands!: CommandPolicy;
  #paths!: PathPolicy;
  readonly #own: readonly string[];

  /** `own`: what is the agent's, see PathPolicy. */
  constructor(security: Config["security"], own: readonly string[] = []) {
    this.#own = own;
    this.replace(security);
  }

  replace(security: Config["security"]): void {
    this.#operations = new OperationPolicy(security);
    this.#commands = new CommandPolicy(security);
    this.#paths = new PathPolicy(security, this.#own);
  }

  get operations(): OperationPolicy {
    return this.#operations;
  }

  get commands(): CommandPolicy {
    return this.#commands;
  }

  get paths(): PathPolicy {
    return this.#paths;
  }
}
