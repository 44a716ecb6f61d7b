import chalk from "chalk";
import { bar, levelColour } from "../bar.ts";
import { type Column, table } from "../table.ts";
import { bytes, duration, percent } from "../units.ts";
import type { Counter, Rates } from "./rates.ts";
import type { DiskIo, Mount, NetworkInterface, Report, UnreachableMount } from "./report.ts";

/** A table of the screen: its titles, and lines of which the last can be left out. */
export interface Section {
  title: string;
  lines: string[];
}

/**
 * Mounts, interfaces and disks; those of which there are any. Traffic is shown as `rates`, or without those as the
 * totals that the guest counted.
 */
export function sections(report: Report, rates: Rates | undefined, columns: number): Section[] {
  return [
    section(mountColumns, [
      ...report.unreachableMounts.map(unreachableRow),
      ...report.disks.map((mount) => mountRow(mount, columns >= 100 ? 20 : 10)),
    ]),
    section(
      interfaceColumns,
      [...report.interfaces]
        .sort((a, b) => stateOrder[a.state] - stateOrder[b.state])
        .map((link) => interfaceRow(link, rates)),
    ),
    section(
      diskColumns,
      report.diskIo.map((disk) => diskRow(disk, rates)),
    ),
  ].flatMap((found) => found ?? []);
}

function section(columns: readonly Column[], rows: readonly (readonly string[])[]): Section | undefined {
  if (rows.length === 0) return undefined;
  const [title = "", ...lines] = table(columns, rows);
  return { title, lines };
}

const mountColumns: Column[] = [
  { title: "MOUNT" },
  { title: "USED" },
  { title: "", align: "right" },
  { title: "" },
  { title: "TYPE" },
  { title: "DEVICE" },
];

function mountRow(
  { mountPoint, usedBytes, totalBytes, usagePercent, filesystem, device }: Mount,
  barColumns: number,
): string[] {
  const used = usagePercent;
  return [
    mountPoint,
    bar(used, barColumns),
    percent(used),
    `${bytes(usedBytes)} of ${bytes(totalBytes)}`,
    filesystem,
    device,
  ];
}

function unreachableRow({ mountPoint, unresponsiveSeconds, filesystem, device }: UnreachableMount): string[] {
  const cells = [mountPoint, "unreachable", "", `for ${duration(unresponsiveSeconds)}`, filesystem, device];
  return cells.map((cell) => chalk.red(cell));
}

const stateOrder = { up: 0, unknown: 1, down: 2 } as const;
const stateColour = { up: chalk.green, unknown: chalk.yellow, down: chalk.red } as const;

const interfaceColumns: Column[] = [
  { title: "INTERFACE" },
  { title: "STATE" },
  { title: "RECEIVED", align: "right" },
  { title: "SENT", align: "right" },
  { title: "MTU", align: "right" },
  { title: "MAC" },
  { title: "ADDRESSES" },
];

function interfaceRow(link: NetworkInterface, rates: Rates | undefined): string[] {
  return [
    link.name,
    stateColour[link.state](link.state),
    traffic(link.rxBytes, rates, "received", link.name),
    traffic(link.txBytes, rates, "sent", link.name),
    String(link.mtu),
    link.macAddress,
    [...link.ipv4Addresses, ...link.ipv6Addresses].join(" "),
  ];
}

const diskColumns: Column[] = [
  { title: "DISK" },
  { title: "READ", align: "right" },
  { title: "WRITTEN", align: "right" },
  { title: "BUSY", align: "right" },
];

function diskRow({ device, readBytes, writeBytes, busyPercent }: DiskIo, rates: Rates | undefined): string[] {
  return [
    device,
    traffic(readBytes, rates, "read", device),
    traffic(writeBytes, rates, "written", device),
    levelColour(busyPercent)(percent(busyPercent)),
  ];
}

function traffic(total: number, rates: Rates | undefined, counter: Counter, name: string): string {
  if (rates === undefined) return bytes(total);
  const perSecond = rates.perSecond(counter, name);
  return perSecond === undefined ? "-" : `${bytes(perSecond)}/s`;
}
