import type { Log } from "./log.ts";

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

/** The same for files. Never contents. */
export interface FileAuditRecord {
  operation: string;
  session: string;
  /** The path that the host gave; of two, both. */
  target: string;
  outcome: "done" | "refused";
  /** "QXGA-4008 …" of what was refused or failed. */
  error?: string;
}

export class Audit {
  readonly #log: Pick<Log, "info"> | undefined;

  /** Without a log nothing is recorded. */
  constructor(log: Pick<Log, "info"> | undefined) {
    this.#log = log;
  }

  record(record: AuditRecord | FileAuditRecord): void {
    this.#log?.info({ audit: record }, `${record.operation} ${record.outcome}`);
  }
}
