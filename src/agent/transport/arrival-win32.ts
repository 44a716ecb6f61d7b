import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { addon } from "../../native/addon.ts";

/** How often it is looked where Windows does not tell. */
const lookMs = 5_000;

/** The driver makes a device, then its name: a few looks for all of it. */
const settleMs = [20, 100, 500, 2_000];

/** Waits until `look` finds something, without polling where Windows tells of new ports. */
export async function untilArrived<T>(look: () => T | undefined, signal: AbortSignal): Promise<T> {
  const changes = new EventTarget();
  const watch = watchPorts(() => changes.dispatchEvent(new Event("change")));
  try {
    for (;;) {
      const change = watch && once(changes, "change", { signal });
      change?.catch(() => undefined); // when something is found nobody waits for it
      signal.throwIfAborted();
      const found = look();
      if (found !== undefined) return found;
      if (change === undefined) {
        await sleep(lookMs, undefined, { signal });
        continue;
      }
      await change;
      for (const ms of settleMs) {
        await sleep(ms, undefined, { signal });
        const settled = look();
        if (settled !== undefined) return settled;
      }
    }
  } finally {
    watch?.close();
  }
}

/** Undefined where Windows does not tell. */
function watchPorts(onChange: () => void): { close(): void } | undefined {
  try {
    return new addon.PortWatch(onChange);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSYS") return undefined;
    throw error;
  }
}
