import type { BigIntStats } from "node:fs";
import { paxRecord } from "./tar-pax.ts";
import { blockBytes, checksumOf, padded } from "./tar-blocks.ts";

const typeflags = { file: "0", symlink: "2", directory: "5", pax: "x" } as const;

/** What the fields of a header have room for. */
const largest = { id: 0o7777777n, bytes: 0o77777777777, seconds: 0o77777777777n, nameBytes: 100 };

const second = 1_000_000_000n;

interface Fields {
  type: keyof typeof typeflags;
  name: string;
  linkTo: string;
  sizeBytes: number;
  mode: number;
  uid: number;
  gid: number;
  seconds: number;
}

/** Makes the headers of tar entries (ustar, with pax headers for what that has no room for) in the same memory each time. */
export class TarHeaders {
  #memory = Buffer.alloc(4 * blockBytes);

  /** All that comes before the contents of an entry. To be used before the next is made. */
  of(
    type: "file" | "directory" | "symlink",
    name: string,
    stats: Pick<BigIntStats, "mode" | "uid" | "gid" | "mtimeNs">,
    { sizeBytes = 0, linkTo = "" }: { sizeBytes?: number; linkTo?: string } = {},
  ): Buffer {
    const { mode, uid, gid, mtimeNs } = stats;
    const seconds = mtimeNs < 0n ? 0n : mtimeNs / second; // tar has none before 1970
    const fraction = mtimeNs < 0n ? 0n : mtimeNs % second;
    let records = "";
    if (!fits(name)) records += paxRecord("path", name);
    if (!fits(linkTo)) records += paxRecord("linkpath", linkTo);
    if (sizeBytes > largest.bytes) records += paxRecord("size", String(sizeBytes));
    if (uid > largest.id) records += paxRecord("uid", String(uid));
    if (gid > largest.id) records += paxRecord("gid", String(gid));
    if (fraction > 0n || seconds > largest.seconds) {
      records += paxRecord("mtime", `${seconds}.${String(fraction).padStart(9, "0")}`);
    }
    const fields: Fields = {
      type,
      name,
      linkTo,
      sizeBytes: Math.min(sizeBytes, largest.bytes),
      mode: Number(mode & 0o7777n),
      uid: Number(smaller(uid, largest.id)),
      gid: Number(smaller(gid, largest.id)),
      seconds: Number(smaller(seconds, largest.seconds)),
    };
    if (records === "") return this.#headers(fields, 0);
    const recordBytes = Buffer.byteLength(records);
    const contentBytes = padded(recordBytes);
    const headers = this.#headers(fields, blockBytes + contentBytes);
    const pax: Fields = { ...fields, type: "pax", name: "PaxHeader", linkTo: "", sizeBytes: recordBytes };
    writeHeader(headers, 0, { ...pax, mode: 0o644, uid: 0, gid: 0 });
    headers.write(records, blockBytes, "utf8");
    headers.fill(0, blockBytes + recordBytes, blockBytes + contentBytes);
    return headers;
  }

  #headers(fields: Fields, at: number): Buffer {
    const bytes = at + blockBytes;
    if (bytes > this.#memory.length) this.#memory = Buffer.alloc(bytes);
    writeHeader(this.#memory, at, fields);
    return this.#memory.subarray(0, bytes);
  }
}

function writeHeader(target: Buffer, at: number, fields: Fields): void {
  const { type, name, linkTo, sizeBytes, mode, uid, gid, seconds } = fields;
  const header = target.subarray(at, at + blockBytes);
  header.fill(0);
  header.write(name, 0, largest.nameBytes, "latin1"); // if that is not all, it is in the pax header
  header.write(linkTo, 157, largest.nameBytes, "latin1");
  const numbers =
    `${octal(mode, 7)}\0${octal(uid, 7)}\0${octal(gid, 7)}\0` +
    `${octal(sizeBytes, 11)}\0${octal(seconds, 11)}\0        ${typeflags[type]}`;
  header.write(numbers, 100, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  header.write(`${octal(checksumOf(header), 6)}\0 `, 148, "latin1");
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function smaller(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/** Of other characters the number of bytes is another, and their coding not said. */
function fits(name: string): boolean {
  return name.length <= largest.nameBytes && /^[ -~]*$/.test(name);
}
