import { lstat, readlink, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import type { Config } from "../config/config.ts";
import { isWithin } from "../files/path.ts";
import { RateLimit } from "./rate-limit.ts";

/** What an opened file is known by. */
export interface FileIdentity {
  dev: bigint;
  ino: bigint;
}

export type PathRules = Pick<
  Config["security"],
  "allow_file_write_paths" | "deny_file_read_paths" | "max_file_ops_per_second"
>;

/** As many as the kernel follows. */
const mostLinks = 40;

const lookupKeptMs = 100;

/**
 * Which files the host may have. What is compared is where an opened file is, not what the host wrote, and whole
 * components; entries are looked up each time, for what they lead to may have come meanwhile.
 */
export class PathPolicy {
  readonly #writable: readonly string[];
  readonly #unreadable: readonly string[];
  readonly #own: readonly string[];
  readonly #rate: RateLimit | undefined;

  /** `own`: real paths of what is the agent's: with all that is in them, they are not the host's to change. */
  constructor(
    { allow_file_write_paths, deny_file_read_paths, max_file_ops_per_second }: PathRules,
    own: readonly string[] = [],
  ) {
    this.#own = own;
    this.#writable = allow_file_write_paths.map((entry) => path.resolve(entry));
    this.#unreadable = deny_file_read_paths.map((entry) => path.resolve(entry));
    if (max_file_ops_per_second > 0) this.#rate = new RateLimit(max_file_ops_per_second, 1_000);
  }

  /** Counts one request. Throws CodedError: rateLimit. */
  countOperation(): void {
    if (this.#rate === undefined || this.#rate.admit()) return;
    throw new CodedError(
      "rateLimit",
      `more than ${this.#rate.limit} file operations a second (max_file_ops_per_second); try again later`,
    );
  }

  /** `place`: the real path of what was opened. Throws CodedError: readBlocked. */
  async checkRead(place: string, file?: FileIdentity): Promise<void> {
    requireReadable(await this.#denied(), place, file);
  }

  /** checkRead() for many files in a row: what entries lead to is looked up anew only every tenth of a second. */
  readChecks(): (place: string, file?: FileIdentity) => Promise<void> {
    let denied: readonly Denied[] = [];
    let freshUntilMs = -Infinity;
    return async (place, file) => {
      if (performance.now() > freshUntilMs) {
        denied = await this.#denied();
        freshUntilMs = performance.now() + lookupKeptMs;
      }
      requireReadable(denied, place, file);
    };
  }

  async #denied(): Promise<Denied[]> {
    return await Promise.all(
      this.#unreadable.map(async (entry) => ({
        entry,
        realPath: await deepestRealPath(entry),
        file: await identityOf(entry),
      })),
    );
  }

  /**
   * What has another path afterwards could be read there: neither what is denied nor a folder that has some of it is
   * moved. Throws CodedError: readBlocked.
   */
  async checkMove(place: string, file: FileIdentity): Promise<void> {
    await this.checkRead(place, file);
    for (const entry of this.#unreadable) {
      if (isWithin(entry, place) || isWithin(await deepestRealPath(entry), place)) {
        throw new CodedError(
          "readBlocked",
          `in ${place} is ${entry}, which is in deny_file_read_paths of the guest's configuration`,
        );
      }
    }
    this.checkRemoval(place);
  }

  /** What the agent lives by does not go with a folder that it is in. Throws CodedError: writeBlocked. */
  checkRemoval(place: string): void {
    const own = this.#own.find((entry) => isWithin(entry, place));
    if (own !== undefined) {
      throw new CodedError("writeBlocked", `in ${place} is ${own}, which is the guest agent's own`);
    }
  }

  /** As checkWrite(), in a folder that is allowed. */
  checkOwn(place: string): void {
    if (this.#own.some((entry) => isWithin(place, entry))) {
      throw new CodedError(
        "writeBlocked",
        `${place} is the guest agent's own; only in the guest can it be changed`,
      );
    }
  }

  /** `place`: the real path of what was opened, or of what is to be made. Throws CodedError: writeBlocked. */
  async checkWrite(place: string): Promise<void> {
    this.checkOwn(place);
    if (this.#writable.length === 0) return;
    for (const entry of this.#writable) {
      if (isWithin(place, entry)) return;
      const real = await ownersRealPath(entry);
      if (real !== undefined && isWithin(place, real)) return;
    }
    throw new CodedError(
      "writeBlocked",
      `${place} is not in allow_file_write_paths of the guest's configuration`,
    );
  }
}

/** Where `entry` is, or would be: what of it is not there cannot be a link. */
async function deepestRealPath(entry: string): Promise<string> {
  try {
    return await realpath(entry);
  } catch {
    const parent = path.dirname(entry);
    return parent === entry ? entry : path.join(await deepestRealPath(parent), path.basename(entry));
  }
}

/** An entry that may not be read, and what it leads to at the time. */
interface Denied {
  entry: string;
  realPath: string;
  /** Of a file. */
  file: FileIdentity | undefined;
}

function requireReadable(denied: readonly Denied[], place: string, file?: FileIdentity): void {
  for (const { entry, realPath, file: known } of denied) {
    // A second name of a denied file is denied as well.
    const isSame = file && known && file.dev === known.dev && file.ino === known.ino;
    if (isWithin(place, entry) || isWithin(place, realPath) || isSame) {
      throw new CodedError("readBlocked", `${place} is in deny_file_read_paths of the guest's configuration`);
    }
  }
}

async function identityOf(entry: string): Promise<FileIdentity | undefined> {
  try {
    const facts = await stat(entry, { bigint: true });
    return facts.isFile() ? facts : undefined;
  } catch {
    return undefined; // not there: nothing is it
  }
}

/**
 * Where an entry leads, following only links that no other user than root and the agent's could have put there: /var/run
 * is one; a link in the home of a user, to /etc, would give that user what the entry was not meant to. Undefined when
 * there is such a link.
 */
async function ownersRealPath(entry: string): Promise<string | undefined> {
  let done: string = path.parse(entry).root;
  let trusted = await isOwners(done);
  const rest = entry.slice(done.length).split(path.sep).filter(Boolean);
  for (let links = 0; rest.length > 0;) {
    const name = rest.shift() ?? "";
    if (name === "..") {
      done = path.dirname(done);
      continue;
    }
    const next = path.join(done, name);
    const facts = await lstat(next).catch(() => undefined);
    if (facts === undefined) return path.join(next, ...rest);
    if (facts.isSymbolicLink()) {
      if (!trusted || !isOwn(facts.uid) || ++links > mostLinks) return undefined;
      const target = await readlink(next);
      if (path.isAbsolute(target)) done = path.parse(target).root;
      rest.unshift(...target.split(path.sep).filter((part) => part !== "" && part !== "."));
    } else {
      trusted &&= isOwn(facts.uid) && (facts.mode & 0o022) === 0;
      done = next;
    }
  }
  return done;
}

async function isOwners(folder: string): Promise<boolean> {
  const { uid, mode } = await stat(folder);
  return isOwn(uid) && (mode & 0o022) === 0;
}

function isOwn(uid: number): boolean {
  return uid === 0 || uid === process.getuid?.();
}
