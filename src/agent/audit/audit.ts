import { CodedError, type ErrorCode } from "../../wire/errors.ts";
import type { RequestContext } from "../session/handler.ts";

/** What a host did or tried, for those who have to account for it. Never arguments, input, output or environment: secrets are in those. */
export interface AuditRecord {
  operation: string;
  /** Who asked: the start of the host's session id, or "" for a host without one. */
  session: string;
  /** Who it was to be done as. */
  user: string;
  /** On what: the executable. */
  target: string;
  argumentCount: number;
  outcome: "started" | "refused" | "ended";
  pid?: number;
  /** "QXGA-3004 …" of what was refused or failed. */
  error?: string;
  exitCode?: number;
  durationMs?: number;
}

/** The same for all other work. Never contents. */
export interface WorkAuditRecord {
  operation: string;
  session: string;
  /** On what, as the host named it: a path, of two, both; a user; file systems. */
  target: string;
  outcome: "done" | "refused";
  /** "QXGA-4008 …" of what was refused or failed. */
  error?: string;
}

/** What takes records: the chain, and in tests a list. */
export interface AuditSink {
  info(fields: { audit: object }, message: string): unknown;
}

export class Audit {
  readonly #sink: AuditSink | undefined;

  /** Without a sink nothing is recorded. */
  constructor(sink: AuditSink | undefined) {
    this.#sink = sink;
  }

  record(record: AuditRecord | WorkAuditRecord): void {
    this.#sink?.info({ audit: record }, `${record.operation} ${record.outcome}`);
  }

  /** Does `work` and records whether it was done. What it throws is thrown on, with a code: its own, or `otherwise`. */
  async around<T>(
    { streams }: Pick<RequestContext, "streams">,
    what: Pick<WorkAuditRecord, "operation" | "target">,
    otherwise: ErrorCode,
    work: () => Promise<T>,
  ): Promise<T> {
    const record = { ...what, session: streams.sessionName };
    try {
      const value = await work();
      this.record({ ...record, outcome: "done" });
      return value;
    } catch (cause) {
      const error = cause instanceof CodedError ? cause : new CodedError(otherwise, String(cause), { cause });
      this.record({ ...record, outcome: "refused", error: error.wireText });
      throw error;
    }
  }
}
