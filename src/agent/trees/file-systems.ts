import { CodedError } from "../../wire/errors.ts";
import type { Folder } from "../files/folder.ts";
import { close } from "../files/io.ts";
import { system } from "../files/system/index.ts";

/** Others may be mounted in the tree. */
const mostFileSystems = 32;

/** The file systems that something is written to, to have all of it on disk at the end, without a sync for each file. */
export class FileSystems {
  readonly #descriptors = new Map<bigint, number>();

  /** Before something is written to it, so that sync() is told of errors in between. */
  async add(folder: Folder): Promise<void> {
    const { dev } = await system.fstat(folder.fd);
    if (this.#descriptors.has(dev)) return;
    if (this.#descriptors.size >= mostFileSystems) {
      throw new CodedError("internal", `the tree is spread over more than ${mostFileSystems} file systems`);
    }
    this.#descriptors.set(dev, await system.openForSync(folder.fd));
  }

  /** A disk that is gone holds up a thread, and with the signal nobody else. */
  async sync(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let stop = (): void => undefined;
    const stopped = new Promise<never>((_, reject) => {
      stop = () => {
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", stop);
    });
    try {
      for (const fd of this.#descriptors.values()) await Promise.race([system.syncfs(fd), stopped]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  close(): void {
    for (const fd of this.#descriptors.values()) close(fd);
    this.#descriptors.clear();
  }
}
