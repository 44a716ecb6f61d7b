import { readdirSync } from "node:fs";
import { mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import * as v from "valibot";
import { readBootId } from "../platform/index.ts";
import { isErrno } from "../files/file-error.ts";
import type { Log } from "../log.ts";
import { Folder } from "../files/folder.ts";
import { ignoreAbsence, removeTemporaries } from "./litter.ts";
import { lookAt } from "./target.ts";

/** Of unfinished files: unguessable, and like nobody else's, so that what has such a name can be removed. */
const temporaryName = v.pipe(v.string(), v.regex(/^\.limiquantix-[A-Za-z0-9_-]{12,}$/));

/** What was begun before a restart of the guest may not be on its disk. */
const bootId = v.string();

/** What is remembered of an upload: enough to go on with it, and to clean up after it. Folders are real paths. */
const recordSchema = v.variant("kind", [
  /** A file, and the name that it is to have. */
  v.object({
    kind: v.literal("file"),
    bootId,
    folder: v.string(),
    tempName: temporaryName,
    name: v.string(),
  }),
  /** A tree below `folder`, and how the names of its unfinished files begin. */
  v.object({ kind: v.literal("tree"), bootId, folder: v.string(), prefix: temporaryName }),
]);
export type JournalRecord = v.InferOutput<typeof recordSchema>;
type NewRecord = JournalRecord extends infer Each
  ? Each extends unknown
    ? Omit<Each, "bootId">
    : never
  : never;

const suffix = ".json";

const unwritable =
  "state_dir cannot be written: uploads cannot be resumed, and if the agent is killed it leaves their unfinished files";

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
  async write(id: string, record: NewRecord): Promise<boolean> {
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
      return v.parse(recordSchema, JSON.parse(await readFile(this.#fileOf(id), "utf8")));
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

  /** The ids of all that there are. For the start only: it waits for the disk, and needs none of Node's threads. */
  ids(): string[] {
    try {
      const names = readdirSync(this.#folder).filter((name) => name.endsWith(suffix));
      return names.map((name) => name.slice(0, -suffix.length));
    } catch (error) {
      if (isErrno(error, "ENOENT")) return [];
      throw error;
    }
  }

  /** Removes what is unfinished, and what is remembered of it. */
  async discard(id: string): Promise<void> {
    const record = await this.read(id);
    if (record) await removeUnfinished(record).catch(ignoreAbsence);
    await this.forget(id);
  }

  #fileOf(id: string): string {
    return path.join(this.#folder, id + suffix);
  }
}

async function removeUnfinished(record: JournalRecord): Promise<void> {
  const folder = await Folder.open(record.folder);
  try {
    if (record.kind === "tree") await removeTemporaries(folder, record.prefix);
    else if ((await lookAt(folder, record.tempName))?.isFile()) await unlink(folder.at(record.tempName));
  } finally {
    folder.close();
  }
}
