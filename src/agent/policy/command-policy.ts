import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import type { Executable } from "../commands/executable.ts";
import type { Config } from "../config/config.ts";
import { commandSystem as system } from "../platform/commands.ts";
import { RateLimit } from "./rate-limit.ts";

/**
 * Which programs the host may run. Entries are paths or names, and are compared as files, never as text: what counts
 * is the executable that a request leads to. A shell line is a request to run the shell.
 */
export class CommandPolicy {
  readonly #allowed: readonly string[];
  readonly #blocked: readonly string[];
  readonly #rate: RateLimit | undefined;

  constructor({ command_allowlist, command_blocklist, max_commands_per_minute }: Config["security"]) {
    this.#allowed = command_allowlist;
    this.#blocked = command_blocklist;
    if (max_commands_per_minute > 0) this.#rate = new RateLimit(max_commands_per_minute, 60_000);
  }

  /** Whether it matters which program it is. */
  get looksAtPrograms(): boolean {
    return this.#allowed.length > 0 || this.#blocked.length > 0;
  }

  /** Throws CodedError: commandBlocked. */
  async check(executable: Executable): Promise<void> {
    // Looked up each time: a package may have come or gone meanwhile.
    for (const entry of this.#blocked) {
      const listed = await this.#find(entry);
      if (listed && isBlockedBy(executable, listed)) {
        throw new CodedError("commandBlocked", `${executable.file} is on the command_blocklist of the guest`);
      }
    }
    if (this.#allowed.length === 0) return;
    for (const entry of this.#allowed) {
      // The file itself, not what it leads to: one tool of busybox does not allow the others.
      const listed = await this.#find(entry);
      if (listed && system.isSameFile(listed.file, executable.file)) return;
    }
    throw new CodedError("commandBlocked", `${executable.file} is not on the command_allowlist of the guest`);
  }

  /**
   * An allowed program must not be made to run another by what it finds in its environment. Throws CodedError
   * commandBlocked.
   */
  checkEnvironment(names: readonly string[]): void {
    if (!this.looksAtPrograms) return;
    const name = names.find((candidate) => system.steering.test(candidate));
    if (name === undefined) return;
    throw new CodedError("commandBlocked", `${name} may not be set where the guest has a list of commands`);
  }

  /** Counts one command. Throws CodedError: rateLimit. */
  countCommand(): void {
    if (this.#rate === undefined || this.#rate.admit()) return;
    throw new CodedError(
      "rateLimit",
      `more than ${this.#rate.limit} commands a minute (max_commands_per_minute); try again later`,
    );
  }

  async #find(entry: string): Promise<Executable | undefined> {
    try {
      const { searchPath, rootFolder: folder } = system;
      return await system.findExecutable(entry, { searchPath, folder });
    } catch {
      return undefined; // not installed: nothing can be it
    }
  }
}

/**
 * A link to a blocked program is blocked with it. Where the entry itself is a link to a program of many names, as with
 * busybox, only that name is meant.
 */
function isBlockedBy({ file, target, names }: Executable, listed: Executable): boolean {
  if (names.some((name) => system.isSameFile(name, listed.file))) return true;
  if (!system.isSameFile(target, listed.target)) return false;
  const name = path.basename(listed.file);
  return [listed.target, file].some((other) => system.isSameFile(path.basename(other), name));
}
