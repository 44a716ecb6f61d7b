import { constants } from "node:fs";
import { close, open, read } from "../files/io.ts";

/** Which mount an open descriptor is in. Unlike st_dev it differs for bind mounts, and not for Btrfs subvolumes. */
export async function mountOf(fd: number): Promise<string> {
  const info = await open(`/proc/self/fdinfo/${fd}`, constants.O_RDONLY);
  try {
    const buffer = Buffer.allocUnsafe(1024);
    const text = buffer.toString("latin1", 0, await read(info, buffer, 0));
    const mount = /^mnt_id:\s*(\d+)$/m.exec(text)?.[1];
    if (mount === undefined) throw new Error(`no mnt_id in /proc/self/fdinfo/${fd}`);
    return mount;
  } finally {
    close(info);
  }
}
