import { CodedError } from "../../wire/errors.ts";
import { type KeyLine, parseKeyLine } from "./key-line.ts";

/** As long as OpenSSH took a line until version 7.9. */
const mostLineBytes = 16 * 1024;

/** More is no list for a person's key ring but for a database; see AuthorizedKeysCommand in sshd_config(5). */
const mostKeys = 1000;

/** A line of the file as it is, without its end. */
interface Line {
  bytes: Buffer;
  /** Undefined for comments, and for what is not understood. */
  key: KeyLine | undefined;
}

/** The lines of an authorized_keys(5). What is not understood stays as it is. */
export class KeyList {
  #lines: Line[];

  private constructor(lines: Line[]) {
    this.#lines = lines;
  }

  /** Throws CodedError fileTooLarge for more than 1,000 keys. */
  static parse(content: Buffer): KeyList {
    const lines = linesOf(content).map((bytes) => ({ bytes, key: parseKeyLine(bytes) }));
    if (lines.filter(({ bytes }) => says(bytes)).length <= mostKeys) return new KeyList(lines);
    throw tooMany();
  }

  /**
   * What sshd may take for a key, in the order of the file: also lines that are not understood here, as nobody should be
   * able to log in unseen.
   */
  get keys(): (Partial<KeyLine> & { line: string })[] {
    return this.#lines
      .filter(({ bytes }) => says(bytes))
      .map(({ bytes, key }) => ({ line: bytes.toString("utf8").trim(), ...key }));
  }

  /** Adds keys that are not there yet, and gives how many. Throws CodedError fileTooLarge. */
  add(wanted: readonly Line[]): number {
    const known = new Set(this.#lines.map(({ key }) => key?.key));
    let added = 0;
    for (const line of wanted) {
      if (known.has(line.key?.key)) continue;
      known.add(line.key?.key);
      this.#lines.push(line);
      added++;
    }
    if (this.#lines.filter(({ bytes }) => says(bytes)).length > mostKeys) throw tooMany();
    return added;
  }

  /** These take the place of all lines; gives how many keys were not there before. */
  replace(wanted: readonly Line[]): number {
    const before = new Set(this.#lines.map(({ key }) => key?.key));
    this.#lines = [];
    this.add(wanted);
    return this.#lines.filter(({ key }) => !before.has(key?.key)).length;
  }

  /** Removes all lines with one of these keys, and gives how many. */
  remove(unwanted: KeySet): number {
    const before = this.#lines.length;
    this.#lines = this.#lines.filter(({ key }) => key === undefined || !unwanted.has(key));
    return before - this.#lines.length;
  }

  toBuffer(): Buffer {
    const end = Buffer.from("\n");
    return Buffer.concat(this.#lines.flatMap(({ bytes }) => [bytes, end]));
  }
}

/** Keys as a request names them: by lines, or by fingerprints. */
export class KeySet {
  readonly #keys = new Set<string>();

  /** Throws CodedError invalidMessage for what is neither. */
  constructor(texts: readonly string[]) {
    for (const [index, text] of limited(texts).entries()) {
      const trimmed = text.trim();
      if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(trimmed)) this.#keys.add(trimmed);
      else this.#keys.add(requestedKey(trimmed, index, " and no fingerprint (SHA256:…)").key.fingerprint);
    }
  }

  has({ fingerprint }: KeyLine): boolean {
    return this.#keys.has(fingerprint);
  }
}

/** Lines that are to be added. Throws CodedError invalidMessage for what would be no key, or more than one line. */
export function requestedKeys(texts: readonly string[]): Line[] {
  return limited(texts).map((text, index) => {
    const line = requestedKey(text.trim(), index, "");
    if (line.key.type === "ssh-dss")
      throw invalid(`key ${index + 1} is a DSA key, which OpenSSH does not take any more`);
    return line;
  });
}

function limited(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) throw invalid("the request has no keys");
  if (texts.length > mostKeys)
    throw invalid(`the request has ${texts.length} keys; at most ${mostKeys} at a time`);
  return texts;
}

function requestedKey(text: string, index: number, other: string): Line & { key: KeyLine } {
  const what = `key ${index + 1}`;
  const bytes = Buffer.from(text);
  if (bytes.length > mostLineBytes) throw invalid(`${what} is longer than ${mostLineBytes} bytes`);
  if (text.includes("PRIVATE KEY"))
    throw invalid(`${what} is a PRIVATE key; what belongs here is the .pub beside it`);

  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text))
    throw invalid(`${what} has line breaks or control characters in it; one line for each key`);
  const key = parseKeyLine(bytes);
  if (key) return { bytes, key };
  throw invalid(`${what} is no whole line of authorized_keys ("[options] type base64 [comment]")${other}`);
}

function invalid(why: string): CodedError {
  return new CodedError("invalidMessage", `${why}; nothing was changed`);
}

function tooMany(): CodedError {
  return new CodedError("fileTooLarge", `more than ${mostKeys} keys are too many for authorized_keys`);
}

/** A line that is neither empty nor a comment. */
function says(line: Buffer): boolean {
  const first = line.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d);
  return first !== undefined && first !== 0x23;
}

function linesOf(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < content.length;) {
    const newline = content.indexOf(0x0a, at);
    const end = newline < 0 ? content.length : newline;
    lines.push(content.subarray(at, end));
    at = end + 1;
  }
  return lines;
}
