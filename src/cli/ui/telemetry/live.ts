import chalk from "chalk";
import { glyphs } from "../glyphs.ts";
import { duration } from "../units.ts";
import { cut, justify } from "../width.ts";
import { facts } from "./facts.ts";
import { gauges } from "./gauges.ts";
import { Rates } from "./rates.ts";
import type { Report } from "./report.ts";
import { type Section, sections } from "./sections.ts";

/** Enough for the widest terminal. */
const longestHistory = 512;
/** What agents do unless their config says otherwise: telemetry_interval_secs. */
const usualIntervalMs = 5_000;
/** A report is missed when none has come for this many intervals. */
const patience = 2.5;
/** The usual one of so many gaps is the interval: not the short one before a change, nor the long one of an outage. */
const gapsRemembered = 5;
const fewestRowsForFooter = 12;

type Connection = { state: "connected" } | { state: "lost"; atMs: number; why: string };

/** What the live screen shows, and how. Times are of a clock that only goes forward, in milliseconds. */
export class LiveView {
  readonly #name: string;
  readonly #rates = new Rates();
  readonly #cpuHistory: number[] = [];
  #connection: Connection = { state: "connected" };
  #agentVersion: string;
  #report: Report | undefined;
  /** When the newest report came; before the first, since when it is awaited. */
  #reportAtMs: number;
  readonly #gapsMs: number[] = [];

  constructor(name: string, agentVersion: string, nowMs: number) {
    this.#name = name;
    this.#agentVersion = agentVersion;
    this.#reportAtMs = nowMs;
  }

  take(report: Report, nowMs: number): void {
    if (this.#report !== undefined) this.#gapsMs.push(nowMs - this.#reportAtMs);
    if (this.#gapsMs.length > gapsRemembered) this.#gapsMs.shift();
    this.#report = report;
    this.#reportAtMs = nowMs;
    this.#rates.update(report, nowMs);
    this.#cpuHistory.push(report.cpuUsagePercent);
    if (this.#cpuHistory.length > longestHistory) this.#cpuHistory.shift();
  }

  connected(agentVersion: string, nowMs: number): void {
    this.#connection = { state: "connected" };
    this.#agentVersion = agentVersion;
    this.#reportAtMs = nowMs;
  }

  lost(why: string, nowMs: number): void {
    this.#connection = { state: "lost", atMs: nowMs, why };
  }

  /** The lines of the screen: `rows` at most, none wider than `columns`. */
  lines(columns: number, rows: number, nowMs: number): string[] {
    const footer = rows >= fewestRowsForFooter ? [chalk.dim("q quit")] : [];
    const body = [
      justify(`${chalk.bold(this.#name)}  agent ${this.#agentVersion}`, this.#state(nowMs), columns),
      this.#report ? facts(this.#report).join(glyphs().separator) : "",
      this.#connection.state === "lost" ? chalk.red(this.#connection.why) : "",
      ...(this.#report ? this.#picture(this.#report, columns, rows - 3 - footer.length) : []),
    ];
    const room = rows - footer.length;
    const filling = Array<string>(Math.max(0, room - body.length)).fill("");
    return [...body.slice(0, room), ...filling, ...footer].map((line) => cut(line, columns));
  }

  #picture(report: Report, columns: number, rows: number): string[] {
    const coreLines = Math.max(2, Math.floor(rows / 7));
    const above = gauges(report, { columns, coreLines, cpuHistory: this.#cpuHistory });
    return [...above, ...fit(sections(report, this.#rates, columns), rows - above.length)];
  }

  #state(nowMs: number): string {
    if (this.#connection.state === "lost") {
      return chalk.red(
        `connection lost, reconnecting for ${duration((nowMs - this.#connection.atMs) / 1000)}`,
      );
    }
    if (this.#isStale(nowMs))
      return chalk.yellow(`no report for ${duration((nowMs - this.#reportAtMs) / 1000)}`);
    return this.#report ? chalk.green("connected") : chalk.yellow("waiting for the first report");
  }

  #isStale(nowMs: number): boolean {
    const inOrder = [...this.#gapsMs].sort((a, b) => a - b);
    const median = inOrder[Math.floor(inOrder.length / 2)] ?? 0;
    return nowMs - this.#reportAtMs > Math.max(median, usualIntervalMs) * patience;
  }
}

/** A section takes a blank line, its title and a line at least. */
const fewestRowsOfSection = 3;

/** The first sections, as many as there is room for, and the rows shared fairly. What is left out is counted. */
function fit(wanted: readonly Section[], rows: number): string[] {
  const all = wanted.slice(0, Math.max(0, Math.floor(rows / fewestRowsOfSection)));
  const shown = all.map(() => 0);
  let left = rows - 2 * all.length;
  for (let given = true; given && left > 0;) {
    given = false;
    for (const [index, { lines }] of all.entries()) {
      if (left === 0 || (shown[index] ?? 0) >= lines.length) continue;
      shown[index] = (shown[index] ?? 0) + 1;
      left--;
      given = true;
    }
  }
  return all.flatMap(({ title, lines }, index) => {
    const count = shown[index] ?? 0;
    const hidden = lines.length - count;
    if (count === 0) return [];
    const more = hidden === 0 ? "" : chalk.dim(`  (${glyphs().ellipsis} ${hidden} more)`);
    return ["", title + more, ...lines.slice(0, count)];
  });
}
