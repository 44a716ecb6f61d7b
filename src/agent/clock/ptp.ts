import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import type { ComparePtpClock } from "../../native/clock.ts";
import { isErrno } from "../files/file-error.ts";
import type { Reading } from "./system.ts";

/**
 * Those that are the host's clock, in UTC. Others are not: that of a network card is anybody's, and ptp_vmclock tells
 * atomic time, 37 s ahead.
 */
const hypervisorClocks: readonly string[] = ["KVM virtual PTP", "hyperv"];

/** Undefined where there is no PTP clock of the hypervisor; rejects when it cannot be read. */
export async function readPtp(root: string, compare: ComparePtpClock): Promise<Reading | undefined> {
  const folder = `${root}/sys/class/ptp`;
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
  for (const name of names) {
    const clockName = await readFile(path.join(folder, name, "clock_name"), "utf8").catch(() => "");
    if (hypervisorClocks.includes(clockName.trim())) return await compare(`/dev/${name}`);
  }
  return undefined;
}
