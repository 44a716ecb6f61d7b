import type { Sample } from "../../native/sampler.ts";
import type { Report } from "./telemetry.ts";

const interfaceState = { unknown: 0, up: 1, down: 2 } as const;

interface ReportOptions {
  extended: boolean;
  excludeInterfaces: readonly string[];
  hostname: string;
}

/** A sample as the TelemetryReport that hosts know, with the extension fields for those that asked. */
export function toReport(sample: Sample, options: ReportOptions): Report {
  const [load1 = 0, load5 = 0, load15 = 0] = sample.load;
  return {
    cpuUsagePercent: sample.cpu.usagePercent,
    memoryTotalBytes: sample.memory.totalBytes,
    memoryUsedBytes: sample.memory.usedBytes,
    memoryAvailableBytes: sample.memory.availableBytes,
    swapTotalBytes: sample.memory.swapTotalBytes,
    swapUsedBytes: sample.memory.swapUsedBytes,
    disks: sample.filesystems,
    interfaces: sample.interfaces
      .filter(({ name }) => !options.excludeInterfaces.some((pattern) => matches(pattern, name)))
      .map((link) => ({ ...link, state: interfaceState[link.state] })),
    loadAvg_1: load1,
    loadAvg_5: load5,
    loadAvg_15: load15,
    processCount: sample.processCount,
    uptimeSeconds: Math.floor(sample.uptimeSeconds),
    hostname: options.hostname,
    ...(options.extended && {
      cores: sample.cpu.cores,
      diskIo: sample.diskIo,
      pressure: sample.pressure,
      unreachableMounts: sample.unreachableMounts,
    }),
  };
}

/** Whether a name matches a pattern in which `*` stands for any characters. */
function matches(pattern: string, name: string): boolean {
  const parts = pattern.split("*");
  const first = parts.shift() ?? "";
  const last = parts.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - at >= last.length && name.endsWith(last);
}
