import chalk, { type ChalkInstance } from "chalk";
import { glyphs } from "./glyphs.ts";

/** From here on a gauge is yellow, and red. */
const highPercent = 75;
const alarmingPercent = 90;

export function levelColour(percent: number): ChalkInstance {
  return percent >= alarmingPercent ? chalk.red : percent >= highPercent ? chalk.yellow : chalk.green;
}

/** A horizontal bar of `columns` columns, in the colour of its level unless `colour` is given. */
export function bar(percent: number, columns: number, colour = levelColour(percent)): string {
  const { full, parts, empty } = glyphs();
  const cells = (clamp(percent) / 100) * columns;
  const whole = Math.floor(cells);
  const part = parts[Math.floor((cells - whole) * (parts.length + 1)) - 1] ?? "";
  const filled = full.repeat(whole) + part;
  return colour(filled) + chalk.dim(empty.repeat(columns - whole - part.length));
}

/** One character whose height is the level, coloured alike. */
export function column(percent: number): string {
  const { heights } = glyphs();
  const index = Math.round((clamp(percent) / 100) * (heights.length - 1));
  return levelColour(percent)(heights[index] ?? "");
}

/** The newest of `values`, in percent, as a line of `columns` columns; the newest is at the right end. */
export function sparkline(values: readonly number[], columns: number): string {
  if (columns <= 0) return "";
  return values.slice(-columns).map(column).join("");
}

function clamp(percent: number): number {
  return Math.min(100, Math.max(0, Number.isFinite(percent) ? percent : 0));
}
