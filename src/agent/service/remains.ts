import { readdir, rm, rmdir } from "node:fs/promises";
import path from "node:path";

/** As RotatingFile names what it writes to, and what it has put aside. */
const ownLog = /^agent\.log(\.\d+)?$/;

/**
 * Removes what a service that is gone has left in its `folder`: log and state. The config stays, as all that somebody else has put
 * there; the folder only as long as there is something in it. It has to be protected: links in it would be the agent's own.
 */
export async function removeRemains(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name === "state" || ownLog.test(name))
      await rm(path.join(folder, name), { recursive: true, force: true });
  }
  if ((await readdir(folder)).length === 0) await rmdir(folder);
}
