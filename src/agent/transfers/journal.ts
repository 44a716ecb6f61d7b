import { readFileSync } from "node:fs";
import { mkdir, readFile, readdir, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import * as v from "valibot";
import { isErrno } from "../files/file-error.ts";
import type { Log } from "../log.ts";
import { Folder } from "../files/folder.ts";
import { lookAt } from "./target.ts";

/** What is remembered of an upload: enough to go on with it, and to clean up after it. */
const recordSchema = v.object({
  /** Real path of the folder, and the name of the unfinished file in it. */
  folder: v.string(),
  tempName: v.string(),
  /** The name that it is to have. */
  name: v.string(),
  /** What has arrived before a restart of the guest may not be on its disk. */
  bootId: v.string(),
});
export type JournalRecord = v.InferOutput<typeof recordSchema>;

/** See temporaryName(): unguessable, and like nobody else's, so that what has such a name can be removed. */
const tempNamePattern = /^\.limiquantix-[0-9a-f]{16}$/;

const suffix = ".json";

const unwritable =
  "state_dir cannot be written: uploads cannot be resumed, and if the agent is killed it leaves their unfinished files";

/** Of the running system: /proc/sys/kernel/random/boot_id. */
function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return ""; // a system without it: nothing outlives a restart of the agent there, see isOfThisBoot()
  }
}

/** Files in state_dir, one for each upload that is not in its place yet: an agent that was killed leaves them behind. */
export class Journal {
  readonly #folder: string;
  readonly #bootId = readBootId();
  readonly #log: Pick<Log, "warn">;
  #warned = false;

  constructor(stateDir: string, log: Pick<Log, "warn">) {
    this.#folder = path.join(stateDir, "uploads");
    this.#log = log;
  }

  /** To be called before the unfinished file is made. False where nothing can be written: that is told once, in the log. */
  async write(id: string, record: Omit<JournalRecord, "bootId">): Promise<boolean> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(this.#fileOf(id), JSON.stringify({ ...record, bootId: this.#bootId }), { mode: 0o600 });
      return true;
    } catch (error) {
      if (!this.#warned) this.#log.warn({ err: error, folder: this.#folder }, unwritable);
      this.#warned = true;
      return false;
    }
  }

  /** Undefined when there is none, or none that can be read. */
  async read(id: string): Promise<JournalRecord | undefined> {
    try {
      const record = v.parse(recordSchema, JSON.parse(await readFile(this.#fileOf(id), "utf8")));
      return tempNamePattern.test(record.tempName) ? record : undefined;
    } catch (error) {
      // A record is written before its file is made: half of one has no file.
      if (error instanceof SyntaxError || v.isValiError(error) || isErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  isOfThisBoot({ bootId }: JournalRecord): boolean {
    return bootId !== "" && bootId === this.#bootId;
  }

  async forget(id: string): Promise<void> {
    await unlink(this.#fileOf(id)).catch(ignoreAbsence);
  }

  /** The ids of all that there are. */
  async ids(): Promise<string[]> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (isErrno(error, "ENOENT")) return [];
      throw error;
    });
    return names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  }

  /** Removes the unfinished file, and what is remembered of it. */
  async discard(id: string): Promise<void> {
    const record = await this.read(id);
    if (record) await removeTemp(record).catch(ignoreAbsence);
    await this.forget(id);
  }

  #fileOf(id: string): string {
    return path.join(this.#folder, id + suffix);
  }
}

async function removeTemp({ folder: place, tempName }: JournalRecord): Promise<void> {
  const folder = await Folder.open(place);
  try {
    if ((await lookAt(folder, tempName))?.isFile()) await unlink(folder.at(tempName));
  } finally {
    folder.close();
  }
}

function ignoreAbsence(error: unknown): void {
  if (!isErrno(error, "ENOENT") && !isErrno(error, "ENOTDIR")) throw error;
}
