import { glyphs } from "../glyphs.ts";
import { outputColumns } from "../terminal.ts";
import { facts } from "./facts.ts";
import { gauges } from "./gauges.ts";
import type { Report } from "./report.ts";
import { sections } from "./sections.ts";

/** As many as it takes. */
const anyNumber = Infinity;

/** One report to read. Lines are not cut: a terminal wraps them, a file takes them. */
export function block(report: Report, agentVersion: string): string {
  const columns = outputColumns();
  return [
    [...facts(report), `agent ${agentVersion}`].join(glyphs().separator),
    "",
    ...gauges(report, { columns, coreLines: anyNumber, cpuHistory: [] }),
    ...sections(report, undefined, columns).flatMap(({ title, lines }) => ["", title, ...lines]),
  ]
    .map((line) => line.trimEnd())
    .join("\n");
}
