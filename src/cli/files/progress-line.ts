import { chalkStderr } from "chalk";
import stringWidth from "string-width";
import { bar } from "../ui/bar.ts";
import { bytes, duration, percent, share } from "../ui/units.ts";
import { cut } from "../ui/width.ts";

/** How far a transfer is. */
export interface Standing {
  /** What is on its way now, printable; may be empty. */
  name: string;
  bytes: number;
  /** Undefined when nobody knows. */
  totalBytes: number | undefined;
  /** Undefined as long as it is not known. */
  bytesPerSecond: number | undefined;
}

const gap = "  ";
const [shortestBar, longestBar] = [8, 40];
const shortestName = 6;

/**
 * "disk.img  ████▌░░░  56.1%  1.2 GiB of 2.1 GiB   310 MiB/s  3 s left" in `columns` columns at most. With less room the
 * bar becomes shorter and goes, then the name, the time, the rate and the amount.
 */
export function progressLine(
  { name, bytes: done, totalBytes, bytesPerSecond }: Standing,
  columns: number,
): string {
  const known = totalBytes !== undefined && totalBytes > 0;
  const portion = known ? Math.min(100, share(done, totalBytes)) : 0;
  const facts = [
    known ? percent(portion).padStart(6) : undefined,
    known ? `${bytes(done)} of ${bytes(totalBytes)}` : bytes(done),
    bytesPerSecond === undefined ? undefined : `${bytes(bytesPerSecond)}/s`.padStart(10),
    known ? timeLeft(totalBytes - done, bytesPerSecond) : undefined,
  ].filter((fact) => fact !== undefined);
  while (facts.length > 1 && facts.join(gap).length > columns) facts.pop();
  const right = facts.join(gap);

  let room = columns - right.length - gap.length;
  const wanted = Math.min(stringWidth(name), Math.max(shortestName, Math.floor(columns / 4)));
  const left = wanted > 0 && room >= Math.min(wanted, shortestName) ? cut(name, Math.min(wanted, room)) : "";
  if (left !== "") room -= stringWidth(left) + gap.length;
  const barColumns = known ? Math.min(longestBar, room) : 0;
  const drawn = barColumns >= shortestBar ? bar(portion, barColumns, chalkStderr.green) : "";
  return [left, drawn, right].filter((part) => part !== "").join(gap);
}

function timeLeft(bytesLeft: number, bytesPerSecond: number | undefined): string | undefined {
  if (bytesPerSecond === undefined || bytesLeft <= 0) return undefined;
  return bytesPerSecond < 1 ? "stalled" : `${duration(Math.ceil(bytesLeft / bytesPerSecond))} left`;
}
