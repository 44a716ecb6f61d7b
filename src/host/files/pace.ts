import fsp from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { type LocalWork, doLater, doNow } from "./local-work.ts";

/** Others of this process wait so long at most while calls are made in this thread, unless one call takes longer. */
const longestTurnMs = 4;

/** When one took so long, the disk is busy, */
const slowMs = 5;
/** and for so long others have this thread to themselves. */
const slowPauseMs = 250;

/** Of statfs(2): file systems of this machine. One of another machine, or of a process, may never answer. */
const localTypes: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
  0xca451a4e, // bcachefs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
]);

/**
 * Where calls for small files are made: in this thread, a few milliseconds at a time, as long as the file system is one of
 * this machine and answers at once; else in threads of Node's pool. For one tree at a time.
 */
export class Pace {
  /** By the number of the device. */
  readonly #known = new Map<bigint, boolean>();
  readonly #looksLocal: (folder: string) => Promise<boolean>;
  #isLocal = false;
  #turnBeganAt = 0;
  #slowUntil = 0;

  constructor(looksLocal = isLocalAt) {
    this.#looksLocal = looksLocal;
  }

  /** From now on it is about what is in this folder, which is on that device. */
  async enter(folder: string, device: bigint): Promise<void> {
    let isLocal = this.#known.get(device);
    if (isLocal === undefined) {
      isLocal = await this.#looksLocal(folder);
      this.#known.set(device, isLocal);
    }
    this.#isLocal = isLocal;
  }

  /** Whether calls may be made in this thread now. Resolves later when others must have their turn first. */
  async turn(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#turnBeganAt > longestTurnMs) {
      await setImmediate();
      this.#turnBeganAt = performance.now();
    }
    return this.#isLocal && now >= this.#slowUntil;
  }

  /** Does it in this thread; only after turn() has said that it may. */
  now<T>(work: LocalWork<T>): T {
    const begunAt = performance.now();
    try {
      return doNow(work);
    } finally {
      const endedAt = performance.now();
      if (endedAt - begunAt > slowMs) this.#slowUntil = endedAt + slowPauseMs;
    }
  }

  /** Does it where it may be done. */
  async run<T>(work: LocalWork<T>): Promise<T> {
    return (await this.turn()) ? this.now(work) : await doLater(work);
  }
}

async function isLocalAt(folder: string): Promise<boolean> {
  const { type } = await fsp.statfs(folder);
  return localTypes.has(type);
}
