import { type Link, chainStart, hashOf } from "./chain.ts";

export interface AuditReport {
  records: number;
  first: Link | undefined;
  last: Link | undefined;
  /** In words, with the line: what is changed, missing or out of order. */
  breaks: string[];
  /** Lines that are no records: half a line, as of a machine that lost power; lines of the log. */
  otherLines: number;
}

/** Longer lines are no records. */
const longestLine = 256 * 1024;

/** Of one trail, whose records it is given in order: a file, and before it those that were put aside, or a log. */
export class AuditVerifier {
  readonly report: AuditReport = {
    records: 0,
    first: undefined,
    last: undefined,
    breaks: [],
    otherLines: 0,
  };

  /** `place` is for people: "audit.log:12". */
  line(text: string, place: string): void {
    const record = recordIn(text);
    const { report } = this;
    if (record === undefined) {
      if (text !== "") report.otherLines++;
      return;
    }
    const { hash, ...rest } = record;
    const { last } = report;
    report.first ??= record;
    report.records++;
    report.last = { seq: record.seq, hash };
    // Of a log that an agent began anew, and of a trail whose beginning was put away.
    const isStart = record.seq === 1;
    const before = isStart ? chainStart : last;
    if (before === undefined) return;
    if (!isStart && record.seq !== before.seq + 1) {
      report.breaks.push(`${place}: record ${record.seq} comes after record ${before.seq}`);
    } else if (hashOf(before.hash, rest) !== hash) {
      report.breaks.push(
        `${place}: record ${record.seq} does not fit: it, or the one before, is not as it was written`,
      );
    }
  }
}

type AuditLine = Link & Record<string, unknown>;

/** A record on a line of its own, or as the `audit` of a log line. */
function recordIn(text: string): AuditLine | undefined {
  if (text.length > longestLine) return undefined;
  // What systemd puts before a line to say how bad it is.
  const json = text.replace(/^<\d>/, "");
  if (!json.startsWith("{")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const record = (value as { audit?: unknown }).audit ?? value;
  return isLink(record) ? (record as AuditLine) : undefined;
}

function isLink(value: unknown): value is Link {
  const { seq, hash } = (value ?? {}) as Partial<Link>;
  return Number.isSafeInteger(seq) && typeof hash === "string";
}
