import { readFile } from "node:fs/promises";

/** unix(7), /proc/net/unix: the St column. */
const connecting = "02";
const connected = "03";

/**
 * Whether the server of a UNIX socket is busy with another client while ours waits in its backlog. QEMU serves
 * one client at a time and lets one more connect, to silence. Unknown counts as no: other systems have no /proc.
 */
export async function isServingAnother(socket: string): Promise<boolean> {
  let table: string;
  try {
    table = await readFile("/proc/net/unix", "utf8");
  } catch {
    return false;
  }
  // Num RefCount Protocol Flags Type St Inode Path
  const states = table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns.slice(7).join(" ") === socket)
    .map((columns) => columns[5]);
  return states.includes(connecting) && states.includes(connected);
}
