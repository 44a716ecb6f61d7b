import { CodedError } from "../../wire/errors.ts";

const blockBytes = 512;

/** Of one pax header: two paths and extended attributes fit. */
const mostPaxBytes = 1024 * 1024;

/** tar-stream copies all that a global header says for each entry. */
const mostGlobalBytes = 8 * 1024;

/** Of a GNU long name: PATH_MAX. */
const mostLongNameBytes = 4096;

const mostHeaderBytes: Readonly<Record<string, number>> = {
  x: mostPaxBytes,
  g: mostGlobalBytes,
  L: mostLongNameBytes,
  K: mostLongNameBytes,
  N: mostLongNameBytes,
};

/**
 * Looks at a tar stream on its way to tar-stream: refuses what that would take too much memory or time for, or let pass,
 * and finds the end. Throws CodedError invalidMessage.
 */
export class TarFraming {
  readonly #block = Buffer.alloc(blockBytes);
  #blockFilled = 0;
  /** Of an entry, or of an extended header, with its padding. */
  #bodyLeft = 0;
  /** A pax header that is being collected. */
  #pax: { type: string; parts: Buffer[]; bytes: number } | undefined;
  /** Of the next entry, from its pax header. */
  #size: number | undefined;
  #zeroBlocks = 0;

  /** The end is two blocks of zeros; whatever comes behind it does not count. */
  get isAtEnd(): boolean {
    return this.#zeroBlocks >= 2;
  }

  /** How much of `chunk` belongs to the stream. */
  take(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && !this.isAtEnd) {
      if (this.#bodyLeft > 0) {
        const count = Math.min(this.#bodyLeft, chunk.length - at);
        this.#pax?.parts.push(chunk.subarray(at, at + count));
        this.#bodyLeft -= count;
        at += count;
        if (this.#bodyLeft === 0) this.#endBody();
        continue;
      }
      const count = chunk.copy(this.#block, this.#blockFilled, at);
      this.#blockFilled += count;
      at += count;
      if (this.#blockFilled < blockBytes) continue;
      this.#blockFilled = 0;
      this.#takeHeader();
    }
    return at;
  }

  /** No more comes. */
  end(): void {
    if (this.#zeroBlocks > 0 && this.#bodyLeft === 0 && this.#blockFilled === 0) return;
    throw invalid("it ends in the middle");
  }

  #takeHeader(): void {
    const block = this.#block;
    if (block.every((byte) => byte === 0)) {
      this.#zeroBlocks++;
      return;
    }
    this.#zeroBlocks = 0;
    const type = String.fromCharCode(block[156] ?? 0);
    const size = sizeField(block.subarray(124, 136));
    const most = mostHeaderBytes[type];
    if (most === undefined) {
      // The size of a folder only says how much it may take up.
      this.#bodyLeft = type === "5" ? 0 : padded(this.#size ?? size);
      this.#size = undefined;
      return;
    }
    if (size === 0 || size > most) {
      throw invalid(`an extended header ("${type}") has ${size} bytes; 1 to ${most} are taken`);
    }
    if (type === "x") this.#size = undefined; // tar-stream takes the last one only
    if (type === "x" || type === "g") this.#pax = { type, parts: [], bytes: size };
    this.#bodyLeft = padded(size);
  }

  #endBody(): void {
    const pax = this.#pax;
    if (pax === undefined) return;
    this.#pax = undefined;
    for (const [key, value] of paxRecords(Buffer.concat(pax.parts).subarray(0, pax.bytes))) {
      if (/^(GNU|SCHILY)\.sparse\.|^SCHILY\.realsize$/.test(key)) {
        throw invalid("it has sparse files, in a format that is not taken; make it without --sparse");
      }
      if (pax.type === "g" && ["path", "linkpath", "size"].includes(key)) {
        throw invalid(`a global header has a ${key} for all entries`);
      }
      if (key !== "size") continue;
      if (!/^\d{1,15}$/.test(value)) throw invalid(`a pax header has the size ${value.slice(0, 30)}`);
      this.#size = Number(value);
    }
  }
}

/** What tar-stream would take for the last record, or skip, is refused. */
function* paxRecords(bytes: Buffer): Generator<[key: string, value: string], void> {
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(" ", at);
    const digits = space < 0 || space - at > 8 ? "" : bytes.toString("latin1", at, space);
    const end = at + Number(digits);
    const equals = bytes.indexOf("=", space);
    if (
      !/^[1-9]\d*$/.test(digits) ||
      end > bytes.length ||
      equals < 0 ||
      equals >= end ||
      bytes[end - 1] !== 10
    ) {
      throw invalid("a pax header is malformed");
    }
    yield [bytes.toString("utf8", space + 1, equals), bytes.toString("utf8", equals + 1, end - 1)];
    at = end;
  }
}

/** Octal digits; or, from GNU tar for 8 GiB and more, a bit and a binary number. */
function sizeField(field: Buffer): number {
  if (field[0] === 0x80) {
    const size = field.readBigUInt64BE(4);
    if (size <= Number.MAX_SAFE_INTEGER && field.readUInt32BE(0) === 0x80000000) return Number(size);
  }
  const digits = /^ *\0*([0-7]*)(?:[ \0].*)?$/s.exec(field.toString("latin1"))?.[1];
  if (digits === undefined) throw invalid("what should be a header is none");
  return digits === "" ? 0 : parseInt(digits, 8);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

export function invalid(why: string): CodedError {
  return new CodedError("invalidMessage", `not a tar stream that can be taken: ${why}`);
}
