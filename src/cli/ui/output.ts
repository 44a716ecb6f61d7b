import { once } from "node:events";

/** Writes to standard output, and resolves when there is room for more. Rejects with the reason of `signal`. */
export async function write(data: string | Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!process.stdout.write(data)) await once(process.stdout, "drain", { signal });
}
