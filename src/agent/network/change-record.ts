import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { fileError } from "../files/file-error.ts";
import type { Log } from "../log.ts";
import { recordFile } from "./record-file.ts";
import { type FileSet, readConfigFile, syncFolder, writeNew } from "./config-files.ts";

const file = v.object({
  name: v.pipe(v.string(), v.regex(/^[^/\0]+$/)),
  mode: v.number(),
  content: v.string(),
});

/** The last change of the network configuration, and what there was before it. */
const recordSchema = v.object({
  version: v.literal(1),
  /**
   * applying: it has begun, and is not kept unless it comes to its end; unconfirmed: it waits for the host until the
   * deadline; kept.
   */
  phase: v.picklist(["applying", "unconfirmed", "kept"]),
  backend: v.string(),
  /** What holds now, or is to. */
  document: v.string(),
  /** Absent when it was rolled back already. */
  before: v.optional(
    v.object({
      document: v.string(),
      files: v.array(file),
      remembered: v.array(v.string()),
      /** No service gives an interface that it lets go of its MTU back. */
      links: v.array(v.object({ name: v.string(), mtu: v.number() })),
    }),
  ),
  /** False: it was only written, for the next boot. */
  applied: v.boolean(),
  token: v.string(),
  /** Of unconfirmed. */
  deadline: v.optional(
    v.object({
      /** Of the running system: after another boot it has passed. */
      bootId: v.string(),
      /** By the clock that nobody sets: seconds since boot. */
      uptimeSeconds: v.number(),
      /** Milliseconds since 1970, for people. */
      at: v.number(),
    }),
  ),
});
export type ChangeRecord = v.InferOutput<typeof recordSchema>;

export function filesOf(files: NonNullable<ChangeRecord["before"]>["files"]): FileSet {
  return new Map(files.map(({ name, mode, content }) => [name, { mode, content }]));
}

export function fileList(files: FileSet): NonNullable<ChangeRecord["before"]>["files"] {
  return [...files].map(([name, { mode, content }]) => ({ name, mode, content }));
}

/** Where the record is: one file, replaced as a whole, that only root can read, as passwords of wireless networks are in it. */
export class ChangeRecords {
  readonly #file: string;
  readonly #log: Pick<Log, "warn">;

  constructor(stateDir: string, log: Pick<Log, "warn">) {
    this.#file = recordFile(stateDir);
    this.#log = log;
  }

  /** Undefined when there is none. One that cannot be read is put aside, and told in the log. */
  async read(): Promise<ChangeRecord | undefined> {
    const found = await readConfigFile(this.#file);
    if (!found) return undefined;
    try {
      return v.parse(recordSchema, JSON.parse(found.content));
    } catch (error) {
      const aside = `${this.#file}.unreadable`;
      await rename(this.#file, aside);
      this.#log.warn({ err: error, file: aside }, "the record of the last network change cannot be read");
      return undefined;
    }
  }

  /** On disk when it resolves. Rejects with CodedError: what cannot be written down could not be rolled back. */
  async write(record: ChangeRecord): Promise<void> {
    const unfinished = `${this.#file}.${randomBytes(8).toString("hex")}`;
    try {
      await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
      try {
        await writeNew(unfinished, { mode: 0o600, content: JSON.stringify(record) });
        await rename(unfinished, this.#file);
      } finally {
        await rm(unfinished, { force: true });
      }
      await syncFolder(path.dirname(this.#file));
    } catch (error) {
      throw fileError(error, `write ${this.#file}, without which nothing could be rolled back`, "network");
    }
  }

  async remove(): Promise<void> {
    try {
      await rm(this.#file, { force: true });
    } catch (error) {
      throw fileError(error, `remove ${this.#file}`, "network");
    }
  }
}
