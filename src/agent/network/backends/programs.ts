import { constants } from "node:fs";
import { access } from "node:fs/promises";
import path from "node:path";
import { rootPath } from "../../commands/environment.ts";

/** Whether there is a program of this name where tools are looked for, below `root`. */
export async function hasProgram(root: string, name: string): Promise<boolean> {
  for (const folder of rootPath.split(":")) {
    if (await isAccessible(path.join(root, folder, name), constants.X_OK)) return true;
  }
  return false;
}

export async function isThere(place: string): Promise<boolean> {
  return await isAccessible(place, constants.F_OK);
}

async function isAccessible(place: string, how: number): Promise<boolean> {
  try {
    await access(place, how);
    return true;
  } catch {
    return false; // whatever the reason, it cannot be used
  }
}
