/** What an extended header says, by key; undefined when it is malformed. */
export function paxRecords(bytes: Buffer): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const end = at + lengthIn(bytes, at, space);
    const equals = bytes.indexOf(0x3d, space);
    if (!(end <= bytes.length && equals > space && equals < end) || bytes[end - 1] !== 0x0a) return undefined;
    records.set(bytes.toString("utf8", space + 1, equals), bytes.toString("utf8", equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** The decimal number from `at` to `end`; NaN when there is none. */
function lengthIn(bytes: Buffer, at: number, end: number): number {
  let length = end > at && end - at < 9 ? 0 : NaN;
  for (let i = at; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    length = length * 10 + digit;
  }
  return length;
}

/** A record as it is in an extended header: its length, that of the length included, first. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let digits = String(bytes).length;
  if (String(bytes + digits).length > digits) digits++;
  return `${bytes + digits}${rest}`;
}
