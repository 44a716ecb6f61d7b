import { readFile, readdir, readlink } from "node:fs/promises";

/** As /proc/PID/comm has them, 15 characters at most. OpenNTPD, NTPsec and busybox have an ntpd too. */
const keepers: Readonly<Record<string, string>> = {
  chronyd: "chronyd",
  "systemd-timesyn": "systemd-timesyncd",
  ntpd: "ntpd",
};

/** With more processes than this none is looked for: it is not worth the time. */
const mostProcesses = 20_000;

/** The service that keeps the clock right, by its process; "" when there is none. */
export async function keeperOfClock(root: string): Promise<string> {
  const pids = (await readdir(`${root}/proc`)).filter((name) => /^\d+$/.test(name));
  if (pids.length > mostProcesses) return "";
  for (const pid of pids) {
    const name = await readFile(`${root}/proc/${pid}/comm`, "utf8").catch(() => ""); // it has ended
    const keeper = keepers[name.trim()];
    if (keeper !== undefined) return keeper;
  }
  return "";
}

/** The IANA name of the guest's time zone, or "". */
export async function timezoneOf(root: string): Promise<string> {
  const link = await readlink(`${root}/etc/localtime`).catch(() => "");
  const [, name] = /\/zoneinfo\/(.+)$/.exec(link) ?? [];
  if (name !== undefined) return name;
  const text = await readFile(`${root}/etc/timezone`, "utf8").catch(() => "");
  return text.trim().slice(0, 100);
}
