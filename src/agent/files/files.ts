import type { Audit } from "../audit.ts";
import type { Config } from "../config/config.ts";
import { withDeadline } from "../deadline.ts";
import { PathPolicy } from "../policy/path-policy.ts";
import { fileError } from "./file-error.ts";

/** A file system that has not answered for so long is not waited for any more: a server, or a disk, that is gone. */
const silentMs = 20_000;

/** What all sessions do with files goes through here. */
export class Files {
  readonly policy: PathPolicy;
  readonly audit: Audit;

  constructor(security: Config["security"], audit: Audit) {
    this.policy = new PathPolicy(security);
    this.audit = audit;
  }

  /**
   * One request: counts it, and makes a CodedError of what the system says; `doing` is "write /x". `work` that takes long
   * goes on, and frees what it has, when nobody waits any more.
   */
  async run<T>(doing: string, work: () => Promise<T>): Promise<T> {
    this.policy.countOperation();
    try {
      return await withDeadline(work(), silentMs);
    } catch (error) {
      throw fileError(error, doing);
    }
  }
}
