import type { NewFile } from "../../native/files.ts";
import { fileError } from "../files/file-error.ts";
import { system } from "../files/system/index.ts";
import type { SharedFolder } from "./open-folders.ts";
import type { Tasks } from "./tasks.ts";

/** So many files are written in one go, */
const mostFiles = 16;
/** as long as they have no more than this. */
const mostBytes = 256 * 1024;

/**
 * Writes small files: those that come together for the same folder in one go. None waits for others that have not come.
 */
export class SmallFiles {
  readonly #tasks: Tasks;
  #batch: { shared: SharedFolder; files: NewFile[]; paths: Set<string>; bytes: number } | undefined;

  constructor(tasks: Tasks) {
    this.#tasks = tasks;
  }

  /** `path` is the file's in the tree. */
  add(path: string, shared: SharedFolder, file: NewFile): void {
    const last = this.#batch;
    const isFull = last && (last.files.length >= mostFiles || last.bytes + file.content.length > mostBytes);
    if (last?.shared !== shared || isFull || last.paths.has(path)) this.flush();
    let batch = this.#batch;
    if (batch === undefined) {
      const begun = { shared: shared.retain(), files: [], paths: new Set<string>(), bytes: 0 };
      this.#batch = batch = begun;
      setImmediate(() => {
        if (this.#batch === begun) this.flush();
      });
    }
    batch.files.push(file);
    batch.paths.add(path);
    batch.bytes += file.content.length;
  }

  /** What has been added is under way afterwards. */
  flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    const { shared, files, paths } = batch;
    if (this.#tasks.hasFailed) {
      shared.release();
      return;
    }
    this.#tasks.start([...paths], async () => {
      try {
        await system.placeFiles(shared.folder, files);
      } catch (error) {
        const { path: name = "" } = error as NodeJS.ErrnoException;
        throw fileError(error, `write ${shared.folder.placeOf(name)}`);
      } finally {
        shared.release();
      }
    });
  }
}
