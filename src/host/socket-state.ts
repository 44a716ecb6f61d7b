import { readFile, realpath } from "node:fs/promises";
import path from "node:path";

/** unix(7), /proc/net/unix: the St column. */
const connecting = "02";
const connected = "03";

/**
 * Whether the server of a UNIX socket is busy with another client while ours waits in its backlog. QEMU serves
 * one client at a time and lets one more connect, to silence. Unknown counts as no: other systems have no /proc.
 */
export async function isServingAnother(socket: string): Promise<boolean> {
  let table: string;
  let file: string;
  try {
    [table, file] = await Promise.all([readFile("/proc/net/unix", "utf8"), realpath(socket)]);
  } catch {
    return false;
  }
  // Num RefCount Protocol Flags Type St Inode Path
  const entries = table.split("\n").map((line) => line.trim().split(/\s+/));
  // The table has the path that the server was given, which may lead through a link such as /var/run.
  const pathOf = async (columns: string[]): Promise<string> => {
    const bound = columns.slice(7).join(" ");
    return bound.endsWith(path.basename(file)) ? realpath(bound).catch(() => bound) : bound;
  };
  const states: (string | undefined)[] = [];
  for (const columns of entries) if ((await pathOf(columns)) === file) states.push(columns[5]);
  return states.includes(connecting) && states.includes(connected);
}
