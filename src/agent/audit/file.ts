import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { isErrno } from "../files/file-error.ts";
import type { Link } from "./chain.ts";
import { AuditVerifier } from "./verify.ts";

/** More than the last records take, whose names and paths are of limited length. */
const tailBytes = 64 * 1024;

/** The last record of a file; undefined when there is none. Read at start alone. */
export function lastRecordIn(name: string): Link | undefined {
  let fd: number;
  try {
    fd = openSync(name, "r");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, tailBytes));
    const bytes = readSync(fd, tail, 0, tail.length, size - tail.length);
    const verifier = new AuditVerifier();
    for (const line of tail.toString("utf8", 0, bytes).split("\n")) verifier.line(line, name);
    return verifier.report.last;
  } finally {
    closeSync(fd);
  }
}
