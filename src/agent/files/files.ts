import type { Audit } from "../audit.ts";
import type { Config } from "../config/config.ts";
import { PathPolicy } from "../policy/path-policy.ts";
import { fileError } from "./file-error.ts";
import { answerOf } from "./held-file.ts";

/** What all sessions do with files goes through here. */
export class Files {
  readonly policy: PathPolicy;
  readonly audit: Audit;

  constructor(security: Config["security"], audit: Audit) {
    this.policy = new PathPolicy(security);
    this.audit = audit;
  }

  /**
   * One request: counts it, and makes a CodedError of what the system says; `doing` is "write /x". `work` that takes too
   * long goes on; what it gives when nobody waits for it any more is given to `undo`.
   */
  async run<T>(doing: string, work: () => Promise<T>, undo?: (result: T) => void): Promise<T> {
    this.policy.countOperation();
    const working = work();
    try {
      return await answerOf(working, doing);
    } catch (error) {
      void working.then(undo, () => undefined);
      throw fileError(error, doing);
    }
  }
}
