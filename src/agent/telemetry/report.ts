import { matches } from "../matches.ts";
import type { NetworkInterface, Sample } from "../../native/sampler.ts";
import type { Report } from "./telemetry.ts";

const interfaceState = { unknown: 0, up: 1, down: 2 } as const;

interface ReportOptions {
  /** With the extension fields, for hosts that know them. */
  extended: boolean;
  /** Patterns of interface names that are left out; `*` stands for any characters. */
  excludeInterfaces: readonly string[];
  hostname: string;
}

/** A sample as the TelemetryReport that hosts know. What could not be read is not sent. */
export function toReport(sample: Sample, { extended, excludeInterfaces, hostname }: ReportOptions): Report {
  const { cpu, memory, load, uptimeSeconds, processCount, filesystems, interfaces = [] } = sample;
  const wanted = (link: NetworkInterface): boolean =>
    !link.loopback && !excludeInterfaces.some((pattern) => matches(pattern, link.name));
  return {
    hostname,
    disks: filesystems,
    interfaces: interfaces.filter(wanted).map((link) => ({ ...link, state: interfaceState[link.state] })),
    ...(cpu && { cpuUsagePercent: cpu.usagePercent }),
    ...(memory && {
      memoryTotalBytes: memory.totalBytes,
      memoryUsedBytes: memory.usedBytes,
      memoryAvailableBytes: memory.availableBytes,
      swapTotalBytes: memory.swapTotalBytes,
      swapUsedBytes: memory.swapUsedBytes,
    }),
    ...(load && { loadAvg_1: load[0], loadAvg_5: load[1], loadAvg_15: load[2] }),
    ...(processCount !== undefined && { processCount }),
    ...(uptimeSeconds !== undefined && { uptimeSeconds: Math.floor(uptimeSeconds) }),
    ...(extended && {
      cores: cpu?.cores ?? [],
      diskIo: sample.diskIo ?? [],
      pressure: sample.pressure,
      unreachableMounts: sample.unreachableMounts,
    }),
  };
}
