import { HostError } from "../errors.ts";
import { blockBytes, checksumOf, padded } from "./tar-blocks.ts";
import { paxRecords } from "./tar-pax.ts";

/** Of one pax header: two paths and extended attributes fit. */
const mostPaxBytes = 1024 * 1024;

export type TarType = "file" | "directory" | "symlink" | "link" | "pax" | "other";

const types: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "1": "link",
  "2": "symlink",
  "5": "directory",
  "7": "file",
  x: "pax",
};

export interface TarEntry {
  type: Exclude<TarType, "pax">;
  /** As the guest has sent it. */
  name: string;
  /** Of a link; else empty. */
  linkTo: string;
  /** Of the contents. */
  sizeBytes: number;
  mode: number;
  /** Seconds since 1970, to the microsecond; now where the stream tells none, or one that cannot be. */
  modifiedAt: number;
}

/**
 * Reads a tar stream (ustar, pax) as it comes: what has come is pushed, and each question is answered from that, at once.
 * tar-stream needs a stream and several turns for each entry, ten times as long for a small file, and takes headers of any
 * size. No more is kept than was pushed and is not taken. Throws a HostError for what is no tar stream.
 */
export class TarReader {
  readonly #what: string;
  readonly #pieces: Buffer[] = [];
  /** Taken of the first piece. */
  #start = 0;
  #bytes = 0;
  /** For the next entry. */
  #pax: ReadonlyMap<string, string> | undefined;
  /** Of the header that #pax is of. */
  #paxBytes = 0;
  /** Of the last entry, not given yet. */
  #contentBytes = 0;
  /** Behind those. */
  #paddingBytes = 0;
  #ended = false;

  /** `what` is the path of the tree, for messages. */
  constructor(what: string) {
    this.#what = what;
  }

  push(piece: Buffer): void {
    if (piece.length === 0 || this.#ended) return; // what comes behind the end does not count
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** No more comes: throws when that is not the end. */
  end(): void {
    const isInEntry = this.#contentBytes > 0 || this.#paddingBytes > 0 || this.#paxBytes > 0;
    if (isInEntry || this.#bytes > 0 || this.#pax) throw this.broken("it ends in the middle");
  }

  /** The next entry; undefined until its header is whole. The contents of the one before must have been taken. */
  next(): TarEntry | undefined {
    for (;;) {
      if (this.#ended || !this.#skipPadding()) return undefined;
      if (this.#paxBytes > 0) {
        const records = this.#take(padded(this.#paxBytes));
        if (records === undefined) return undefined;
        this.#pax = paxRecords(records.subarray(0, this.#paxBytes));
        if (this.#pax === undefined) throw this.broken("an extended header is malformed");
        this.#paxBytes = 0;
      }
      const header = this.#take(blockBytes);
      if (header === undefined) return undefined;
      if (header[0] === 0 && header.every((byte) => byte === 0)) {
        if (this.#pax) throw this.broken("it ends behind an extended header");
        this.#end();
        return undefined;
      }
      const entry = this.#entry(header);
      if (entry) return entry;
    }
  }

  /** All the contents of the entry; undefined until they have come. */
  whole(): Buffer | undefined {
    const contents = this.#take(this.#contentBytes);
    if (contents) this.#contentBytes = 0;
    return contents;
  }

  /** The contents of the entry, or what of them was not given yet and has come; undefined for nothing. */
  some(): Buffer | undefined {
    const first = this.#pieces[0];
    if (first === undefined || this.#contentBytes === 0) return undefined;
    const part = this.#take(Math.min(this.#contentBytes, first.length - this.#start));
    this.#contentBytes -= part?.length ?? 0;
    return part;
  }

  broken(why: string): HostError {
    return new HostError("agent-error", `what the agent sent of ${this.#what} is no tar stream: ${why}`);
  }

  #entry(header: Buffer): TarEntry | undefined {
    if (octal(header, 148, 8) !== checksumOf(header)) throw this.broken("a header has a wrong checksum");
    const type = types[String.fromCharCode(header[156] ?? 0)] ?? "other";
    const pax = this.#pax;
    const sizeBytes = Number(pax?.get("size") ?? octal(header, 124, 12));
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
      throw this.broken("an entry has a size that is none");
    if (type === "pax") {
      if (pax || sizeBytes === 0 || sizeBytes > mostPaxBytes) {
        throw this.broken(`an extended header has ${sizeBytes} bytes, or is the second`);
      }
      this.#paxBytes = sizeBytes;
      return undefined;
    }
    if (type !== "file" && sizeBytes > 0) throw this.broken("something that is no file has contents");
    this.#pax = undefined;
    this.#contentBytes = sizeBytes;
    this.#paddingBytes = padded(sizeBytes) - sizeBytes;
    const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? text(header, 345, 155) : "";
    const name = text(header, 0, 100);
    return {
      type,
      name: pax?.get("path") ?? (prefix === "" ? name : `${prefix}/${name}`),
      linkTo: pax?.get("linkpath") ?? text(header, 157, 100),
      sizeBytes,
      mode: octal(header, 100, 8) ?? 0,
      modifiedAt: timeOf(pax?.get("mtime") ?? String(octal(header, 136, 12))),
    };
  }

  #skipPadding(): boolean {
    if (this.#paddingBytes === 0) return true;
    if (this.#take(this.#paddingBytes) === undefined) return false;
    this.#paddingBytes = 0;
    return true;
  }

  #end(): void {
    this.#ended = true;
    this.#pieces.length = 0;
    this.#bytes = 0;
  }

  /** Exactly so many bytes, if they have come. */
  #take(bytes: number): Buffer | undefined {
    if (this.#bytes < bytes) return undefined;
    this.#bytes -= bytes;
    const [first = Buffer.alloc(0)] = this.#pieces;
    const end = this.#start + bytes;
    if (end < first.length) {
      const part = first.subarray(this.#start, end);
      this.#start = end;
      return part;
    }
    const parts: Buffer[] = [];
    for (let left = bytes; left > 0;) {
      const [piece = Buffer.alloc(0)] = this.#pieces;
      const part = piece.subarray(this.#start, this.#start + left);
      parts.push(part);
      left -= part.length;
      this.#start += part.length;
      if (this.#start < piece.length) break;
      this.#pieces.shift();
      this.#start = 0;
    }
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }
}

/** A number in octal digits, spaces or zeros around it; undefined for anything else. */
function octal(block: Buffer, start: number, bytes: number): number | undefined {
  let value = 0;
  let digits = 0;
  for (let at = start; at < start + bytes; at++) {
    const byte = block[at] ?? 0;
    if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + (byte - 0x30);
      digits++;
    } else if (byte !== 0x20 && byte !== 0) {
      return undefined;
    } else if (digits > 0) {
      break;
    }
  }
  return value;
}

function text(block: Buffer, start: number, bytes: number): string {
  const end = block.indexOf(0, start);
  return block.toString("utf8", start, end < 0 || end > start + bytes ? start + bytes : end);
}

/** Cut off after the microseconds: rounded up, a file could be younger than it is. */
function timeOf(decimal: string): number {
  const [whole = "", fraction = ""] = decimal.split(".");
  const micros = Number(fraction.slice(0, 6).padEnd(6, "0"));
  const seconds = Number(whole) + (whole.startsWith("-") ? -micros : micros) / 1e6;
  return Math.abs(seconds) <= mostSeconds ? seconds : Date.now() / 1000;
}

/** What a Date can hold. */
const mostSeconds = 8.64e12;
