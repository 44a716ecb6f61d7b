import { createHash } from "node:crypto";

/** A record's place in the chain. */
export interface Link {
  /** Counted from 1. */
  seq: number;
  /** SHA-256 in hex, of the record and of the hash before it. */
  hash: string;
}

export const chainStart: Link = { seq: 0, hash: "" };

/**
 * The hash of a record: of the one before, a newline, and the record as JSON without its own hash. JSON.stringify gives a
 * parsed record back byte by byte, so what is read can be checked.
 */
export function hashOf(before: string, record: object): string {
  return createHash("sha256")
    .update(`${before}\n${JSON.stringify(record)}`)
    .digest("hex");
}

/**
 * Gives each record its number, time and hash, so that none can be changed, taken out or put in without all behind it
 * being made anew. Who keeps the last hash elsewhere can tell that too.
 */
export class AuditChain {
  readonly #write: (record: Link, message: string) => boolean;
  #last: Link;

  /** `last`: where an earlier agent has stopped. `write` says whether it has taken the record; else it is as if it never was. */
  constructor(last: Link, write: (record: Link, message: string) => boolean) {
    this.#last = last;
    this.#write = write;
  }

  /** The last record taken. */
  get last(): Link {
    return this.#last;
  }

  /** As of a log: what Audit writes to. */
  info({ audit }: { audit: object }, message: string): boolean {
    const seq = this.#last.seq + 1;
    const record = { seq, time: new Date().toISOString(), ...audit };
    const hash = hashOf(this.#last.hash, record);
    const isTaken = this.#write({ ...record, hash }, message);
    if (isTaken) this.#last = { seq, hash };
    return isTaken;
  }
}
