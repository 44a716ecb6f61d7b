import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Packs what is in dist/executable as an .msi of that version, in a process of its own; gives its path. */
export async function packMsi(file: string, version: string): Promise<string> {
  await promisify(execFile)(process.execPath, ["scripts/package/msi.mjs", file, version]);
  return file;
}
