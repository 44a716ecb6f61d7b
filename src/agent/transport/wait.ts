import { once } from "node:events";
import { existsSync, watch } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The nearest folder of `file` that exists. */
function nearestFolder(file: string): string {
  let folder = path.dirname(file);
  while (!existsSync(folder) && folder !== path.dirname(folder)) folder = path.dirname(folder);
  return folder;
}

/**
 * Waits, without polling, until something is created or removed where `places` may appear. Whoever calls looks
 * again and may call again. The watch is set before `look` is asked, so that nothing is missed between them.
 */
export async function untilFound<T>(
  places: readonly string[],
  look: () => T | undefined,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    const folders = [...new Set(places.map(nearestFolder))];
    const change = new AbortController();
    const watchers = folders.map((folder) =>
      watch(folder, () => {
        change.abort();
      }),
    );
    try {
      // A folder that goes away under its watch is a change too.
      for (const watcher of watchers)
        watcher.on("error", () => {
          change.abort();
        });
      signal.throwIfAborted();
      const found = look();
      if (found !== undefined) return found;
      const either = AbortSignal.any([signal, change.signal]);
      if (!either.aborted) await once(either, "abort");
      signal.throwIfAborted();
    } finally {
      for (const watcher of watchers) watcher.close();
    }
    // udev makes the node, then its link, then sets the mode: one look for all of it.
    await sleep(settleMs, undefined, { signal });
  }
}

const settleMs = 20;

/** Pauses for retries: at once, then from 50 ms doubling up to a second. */
export class Backoff {
  #nextMs = 0;

  reset(): void {
    this.#nextMs = 0;
  }

  async pause(signal: AbortSignal): Promise<void> {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(Math.max(2 * ms, 50), 1_000);
    signal.throwIfAborted();
    if (ms > 0) await sleep(ms, undefined, { signal });
  }
}
