import type { FileInfo } from "../../host/index.ts";
import { printable } from "../ui/printable.ts";
import { bytes } from "../ui/units.ts";
import { modeText, octal } from "./mode.ts";

const kindNames: Readonly<Record<FileInfo["kind"], string>> = {
  file: "file",
  directory: "folder",
  symlink: "symbolic link",
  fifo: "FIFO",
  socket: "socket",
  "character-device": "character device",
  "block-device": "block device",
  unknown: "unknown",
};

/** As --json has it. */
export function forPrograms({ mode, ...info }: FileInfo): object {
  return { ...info, mode: octal(mode) };
}

/** What there is to know of a file, by name; "" where it is not known. */
export function facts(info: FileInfo): [name: string, value: string][] {
  const { kind, sizeBytes, allocatedBytes, mode, linkCount, inode, createdAt } = info;
  return [
    ["Path", printable(info.path)],
    ["Type", kindNames[kind]],
    ["Target", printable(info.symlinkTarget)],
    ["Size", exactBytes(sizeBytes)],
    ["On disk", bytes(allocatedBytes)],
    ["Mode", `${octal(mode)} ${modeText(kind, mode)}`],
    ["Owner", named(info.owner, info.uid)],
    ["Group", named(info.group, info.gid)],
    ["Modified", timeText(info.modifiedAt)],
    ["Changed", timeText(info.changedAt)],
    ["Accessed", timeText(info.accessedAt)],
    ["Created", createdAt === null ? "" : timeText(createdAt)],
    ["Links", count(linkCount)],
    ["Inode", count(inode)],
    ["Version", printable(info.version)],
  ];
}

/** "512 B", "1.5 KiB (1536 B)". */
function exactBytes(sizeBytes: number): string {
  return sizeBytes < 1024 ? bytes(sizeBytes) : `${bytes(sizeBytes)} (${sizeBytes} B)`;
}

/** "root (0)"; the number alone where there is no name. */
function named(name: string, id: number): string {
  return name === String(id) ? name : `${printable(name)} (${id})`;
}

/** Agents of an earlier generation leave 0. */
function count(number: number): string {
  return number === 0 ? "" : String(number);
}

/** "2026-11-25 02:34:14", in the time of this host; "" for a time that was not told. */
function timeText(time: Date): string {
  return time.getTime() === 0 ? "" : time.toLocaleString("sv-SE");
}
