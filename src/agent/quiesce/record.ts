import { readFileSync } from "node:fs";
import { mkdir, rename, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import * as v from "valibot";
import { isErrno } from "../files/file-error.ts";
import { ownerOf } from "./freezer.ts";
import type { Target } from "./targets.ts";

/** Where it is kept: gone with the next boot, and never frozen. */
export const recordFolder = "/run/limiquantix";

const schema = v.object({
  /** Of the system, and of the agent that froze them. */
  bootId: v.string(),
  pid: v.number(),
  startedAt: v.string(),
  /** ISO 8601. */
  since: v.string(),
  /** Pre-freeze hooks may have been run. */
  hooks: v.boolean(),
  /** In the order in which they are frozen. */
  fileSystems: v.array(v.object({ mountId: v.number(), mountPoint: v.string(), device: v.string() })),
});
export type FreezeRecord = v.InferOutput<typeof schema>;

/** What an agent that was killed while file systems were frozen leaves behind, for the next one. */
export class RecordFile {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get path(): string {
    return path.join(this.#folder, "frozen.json");
  }

  /** Whole or not at all. Before the first is frozen, as nothing may be writable afterwards. */
  async write(targets: readonly Target[], hooks: boolean): Promise<void> {
    const record: FreezeRecord = {
      ...(ownerOf(process.pid) ?? { bootId: "", startedAt: "" }),
      pid: process.pid,
      since: new Date().toISOString(),
      hooks,
      fileSystems: targets.map(({ mount: { id, mountPoint, device } }) => ({
        mountId: id,
        mountPoint,
        device,
      })),
    };
    await mkdir(this.#folder, { recursive: true, mode: 0o755 });
    const temporary = `${this.path}.new`;
    await writeFile(temporary, JSON.stringify(record), { mode: 0o600 });
    await rename(temporary, this.path);
  }

  async remove(): Promise<void> {
    await unlink(this.path).catch((error: unknown) => {
      if (!isErrno(error, "ENOENT")) throw error;
    });
  }

  /**
   * For the start, before anything else: undefined when there is none of this boot, or its agent still runs. Throws when
   * there is one that cannot be read.
   */
  read(): FreezeRecord | undefined {
    let text: string;
    try {
      text = readFileSync(this.path, "utf8");
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
    const record = v.parse(schema, JSON.parse(text));
    if (record.bootId !== ownerOf(process.pid)?.bootId) return undefined;
    return ownerOf(record.pid)?.startedAt === record.startedAt ? undefined : record;
  }
}
