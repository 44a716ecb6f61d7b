import type { TelemetryReport } from "../../../host/index.ts";

type Message = TelemetryReport;

/** A report as --json has it: the protocol's names as protobuf writes them in JSON, and states as words. */
export type Report = ReturnType<typeof readReport>;
export type Mount = Message["disks"][number];
export type UnreachableMount = Message["unreachableMounts"][number];
export type NetworkInterface = Report["interfaces"][number];
export type DiskIo = Message["diskIo"][number];

/** InterfaceState; an agent of the future may know more. */
const states: readonly ("unknown" | "up" | "down" | undefined)[] = ["unknown", "up", "down"];

export function readReport(message: TelemetryReport) {
  const { loadAvg_1: loadAvg1, loadAvg_5: loadAvg5, loadAvg_15: loadAvg15, interfaces, ...rest } = message;
  return {
    ...rest,
    loadAvg1,
    loadAvg5,
    loadAvg15,
    interfaces: interfaces.map((link) => ({ ...link, state: states[link.state] ?? "unknown" })),
  };
}
