import { readFile, stat } from "node:fs/promises";
import path from "node:path";

/** Of /etc: lckpwdf(3) locks the first; the others are there while a program of the shadow suite is at work. */
const lockFiles = ["shadow.lock", "passwd.lock"];

/** " by vipw (process 42)": who keeps the user database locked; "" where it cannot be told. */
export async function lockHolder(etc: string, proc = "/proc"): Promise<string> {
  const pid = (await holderOf(path.join(etc, ".pwd.lock"), proc)) ?? (await namedIn(etc));
  if (pid === undefined) return "";
  const name = await readFile(path.join(proc, String(pid), "comm"), "utf8").catch(() => undefined);
  // A process that has gone, and whose lock nobody minds any more.
  return name === undefined ? "" : ` by ${name.trim()} (process ${pid})`;
}

/** From lines as "1: POSIX  ADVISORY  WRITE 42 08:01:131 0 EOF"; who waits has an arrow before it. */
async function holderOf(file: string, proc: string): Promise<number | undefined> {
  try {
    const { dev, ino } = await stat(file, { bigint: true });
    const inode = new RegExp(
      `^\\d+: POSIX +\\S+ +WRITE +(\\d+) ${hex(majorOf(dev))}:${hex(minorOf(dev))}:${ino} `,
      "m",
    );
    const pid = inode.exec(await readFile(path.join(proc, "locks"), "utf8"))?.[1];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined; // no such file, or no /proc: it is told without
  }
}

async function namedIn(etc: string): Promise<number | undefined> {
  for (const name of lockFiles) {
    const text = await readFile(path.join(etc, name), "latin1").catch(() => "");
    const pid = /^\d+/.exec(text)?.[0];
    if (pid !== undefined) return Number(pid);
  }
  return undefined;
}

function hex(part: bigint): string {
  return part.toString(16).padStart(2, "0");
}

// As glibc and musl put them into a dev_t.
function majorOf(dev: bigint): bigint {
  return ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
}

function minorOf(dev: bigint): bigint {
  return (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
}
