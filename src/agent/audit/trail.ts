import { RotatingFile } from "../rotating-file.ts";
import type { Config } from "../config/config.ts";
import type { LogSink } from "../log.ts";
import { version } from "../../version.ts";
import { AuditChain, chainStart } from "./chain.ts";
import { lastRecordIn } from "./file.ts";

/** Where records go, until it is closed. */
export interface AuditTrail {
  readonly chain: AuditChain;
  /** What it is written to: a file's path, or "log". */
  readonly place: string;
  /** Keeps records in memory, since whoever writes them could hang, until what it gives is called. */
  hold(): () => void;
  close(): Promise<void>;
}

/**
 * The trail that the config asks for, with a first record of this agent's start. In a file it goes on where it ended; in the
 * log it begins anew.
 */
export function openTrail(security: Config["security"], { audit }: Pick<LogSink, "audit">): AuditTrail {
  const trail = security.audit_file === "" ? inLog(audit) : inFile(security);
  trail.chain.info({ audit: { operation: "agent_start", version, pid: process.pid } }, "the audit begins");
  return trail;
}

/** The log has a hold of its own. */
function inLog(log: LogSink["audit"]): AuditTrail {
  const chain = new AuditChain(chainStart, (record, message) => {
    log.info({ audit: record }, message);
    return true;
  });
  return { chain, place: "log", hold: () => () => undefined, close: () => Promise.resolve() };
}

function inFile({ audit_file, audit_max_size_bytes, audit_max_files }: Config["security"]): AuditTrail {
  const last = lastRecordIn(audit_file) ?? lastRecordIn(`${audit_file}.1`) ?? chainStart;
  const file = new RotatingFile({
    file: audit_file,
    maxBytes: audit_max_size_bytes,
    maxFiles: audit_max_files,
  });
  return {
    chain: new AuditChain(last, (record) => file.write(`${JSON.stringify(record)}\n`)),
    place: audit_file,
    hold() {
      file.hold();
      return () => {
        file.release();
      };
    },
    close: () => file.close(),
  };
}
