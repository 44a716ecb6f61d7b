import { percent, share } from "../units.ts";
import { load } from "./facts.ts";
import type { Rates } from "./rates.ts";
import type { Report } from "./report.ts";

/** A report as one line of words without spaces, for files and for grep. Rates are in bytes per second. */
export function line(report: Report, rates: Rates, time: Date): string {
  const words = [
    time.toISOString(),
    `cpu=${percent(report.cpuUsagePercent)}`,
    `mem=${percent(share(report.memoryUsedBytes, report.memoryTotalBytes))}`,
    `swap=${percent(share(report.swapUsedBytes, report.swapTotalBytes))}`,
    `load=${load(report).join(",")}`,
    `procs=${report.processCount}`,
    ...report.disks.map(({ mountPoint, usagePercent }) => `${mountPoint}=${percent(usagePercent)}`),
    ...report.unreachableMounts.map(({ mountPoint }) => `${mountPoint}=unreachable`),
    ...report.interfaces.flatMap(({ name, state }) => [
      `${name}=${state}`,
      ...rate(`${name}.rx`, rates.perSecond("received", name)),
      ...rate(`${name}.tx`, rates.perSecond("sent", name)),
    ]),
  ];
  return words.map((word) => word.replaceAll(" ", "_")).join(" ");
}

function rate(name: string, perSecond: number | undefined): string[] {
  return perSecond === undefined ? [] : [`${name}=${perSecond.toFixed(0)}`];
}
