import { duration } from "../units.ts";
import type { Report } from "./report.ts";

/** What one line has to say of a guest: host name, uptime, load, processes. */
export function facts(report: Report): string[] {
  return [
    report.hostname,
    `up ${duration(report.uptimeSeconds)}`,
    `load ${load(report).join(" ")}`,
    `${report.processCount} processes`,
  ];
}

/** Over 1, 5 and 15 minutes. */
export function load({ loadAvg1, loadAvg5, loadAvg15 }: Report): string[] {
  return [loadAvg1, loadAvg5, loadAvg15].map((average) => average.toFixed(2));
}
