import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";

/** Packs what is in dist/executable as an .msi of that version, in a process of its own; gives its path. */
export async function packMsi(file: string, version: string): Promise<string> {
  await promisify(execFile)(process.execPath, ["scripts/package/msi.mjs", file, version]);
  return file;
}

/** The rows of a table in an .msi. */
export function rowsOf(file: string, table: string): string[][] {
  const text = execFileSync("msiinfo", ["export", file, table], { encoding: "utf8" });
  const [, , , ...rows] = text.trimEnd().split(/\r?\n/); // names, types and keys of its columns come first
  return rows.map((row) => row.split("\t"));
}
