import chalk from "chalk";
import { bar, column, levelColour, sparkline } from "../bar.ts";
import { bytes, percent, share } from "../units.ts";
import { pad } from "../width.ts";
import type { Report } from "./report.ts";

const labelColumns = "Pressure".length + 2;
const narrowestBar = 10;
const widestBar = 60;

export interface GaugeOptions {
  columns: number;
  /** Lines that the bars of the cores may take; where they do not fit, each core gets one character. */
  coreLines: number;
  /** CPU usage over time in percent, the newest last. */
  cpuHistory: readonly number[];
}

/** CPU, cores, memory, swap and pressure. */
export function gauges(report: Report, { columns, coreLines, cpuHistory }: GaugeOptions): string[] {
  const barColumns = Math.min(widestBar, Math.max(narrowestBar, Math.floor(columns * 0.35)));
  const gauge = (label: string, value: number, text: string): string =>
    `${labelled(label)}${bar(value, barColumns)}  ${percent(value).padStart(6)}  ${text}`;
  const historyColumns = columns - labelColumns - barColumns - "  100.0%  ".length;
  return [
    gauge("CPU", report.cpuUsagePercent, sparkline(cpuHistory, historyColumns)),
    ...cores(report.cores, columns, coreLines),
    gauge(
      "Memory",
      share(report.memoryUsedBytes, report.memoryTotalBytes),
      `${bytes(report.memoryUsedBytes)} of ${bytes(report.memoryTotalBytes)}`,
    ),
    report.swapTotalBytes > 0
      ? gauge(
          "Swap",
          share(report.swapUsedBytes, report.swapTotalBytes),
          `${bytes(report.swapUsedBytes)} of ${bytes(report.swapTotalBytes)}`,
        )
      : `${labelled("Swap")}none`,
    ...pressure(report),
  ];
}

function cores(all: Report["cores"], columns: number, mostLines: number): string[] {
  if (all.length < 2) return []; // the one is the CPU line
  const coreBarColumns = 8;
  const indexColumns = String(all.length - 1).length;
  const cells = all.map(({ index, usagePercent }) => {
    const number = String(index).padStart(indexColumns);
    return `${number} ${bar(usagePercent, coreBarColumns)} ${usagePercent.toFixed(0).padStart(3)}%`;
  });
  const gap = "   ";
  const cellColumns = indexColumns + 1 + coreBarColumns + 1 + "100%".length;
  const room = Math.max(1, columns - labelColumns);
  const perLine = Math.max(1, Math.floor((room + gap.length) / (cellColumns + gap.length)));
  const lines =
    Math.ceil(cells.length / perLine) <= mostLines
      ? chunks(cells, perLine).map((line) => line.join(gap))
      : chunks(
          all.map(({ usagePercent }) => column(usagePercent)),
          room,
        ).map((line) => line.join(""));
  return lines.map((line, index) => labelled(index === 0 ? "Cores" : "") + line);
}

/** The share of the last ten seconds in which some process waited: proc_pressure(5), "some avg10". */
function pressure({ pressure: stalls }: Report): string[] {
  if (!stalls) return [];
  const parts = (["cpu", "memory", "io"] as const).flatMap((name) => {
    const stall = stalls[name];
    return stall ? [`${name} ${levelColour(stall.someAvg10)(percent(stall.someAvg10))}`] : [];
  });
  return parts.length === 0 ? [] : [`${labelled("Pressure")}${parts.join("   ")}`];
}

function labelled(label: string): string {
  return chalk.bold(pad(label, labelColumns));
}

function chunks<T>(items: readonly T[], length: number): T[][] {
  const result: T[][] = [];
  for (let at = 0; at < items.length; at += length) result.push(items.slice(at, at + length));
  return result;
}
