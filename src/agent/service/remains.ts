import { readdir, rm, rmdir } from "node:fs/promises";
import path from "node:path";

/** As rotating-file-stream names what it rotates, and its list of that. */
const ownLog = /^(\d{8}-\d{4}-\d+-)?agent\.log(\.txt)?$/;

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
