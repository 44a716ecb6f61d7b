/** Fewer bits of an RSA modulus OpenSSH does not take. */
const leastRsaBits = 1024;

const ed25519Bytes = 32;

/** An uncompressed point of each curve. */
const pointBytes: Readonly<Record<string, number>> = { nistp256: 65, nistp384: 97, nistp521: 133 };

type Check = (fields: readonly Buffer[]) => boolean;

/** What is behind the type in the keys that OpenSSH knows (RFC 4253, 5656, 8709; its PROTOCOL.u2f). */
const known: Readonly<Record<string, Check>> = {
  "ssh-ed25519": (fields) => fields.length === 1 && isEd25519(fields[0]),
  "ssh-rsa": (fields) => fields.length === 2 && bitsOf(fields[1]) >= leastRsaBits,
  "ecdsa-sha2-nistp256": (fields) => fields.length === 2 && isPoint("nistp256", fields),
  "ecdsa-sha2-nistp384": (fields) => fields.length === 2 && isPoint("nistp384", fields),
  "ecdsa-sha2-nistp521": (fields) => fields.length === 2 && isPoint("nistp521", fields),
  "sk-ssh-ed25519@openssh.com": (fields) => fields.length === 2 && isEd25519(fields[0]),
  "sk-ecdsa-sha2-nistp256@openssh.com": (fields) => fields.length === 3 && isPoint("nistp256", fields),
};

/** Whether a blob is a whole public key of that type. Of types to come it is known only that they are made of strings. */
export function isKeyOf(type: string, blob: Buffer): boolean {
  const [inner, ...fields] = stringsOf(blob) ?? [];
  if (inner?.toString("latin1") !== type || fields.length === 0) return false;
  return known[type]?.(fields) ?? true;
}

/** The strings of RFC 4251 that a blob consists of; undefined when they do not end where it does. */
function stringsOf(blob: Buffer): Buffer[] | undefined {
  const strings: Buffer[] = [];
  for (let at = 0; at < blob.length;) {
    if (blob.length - at < 4) return undefined;
    const start = at + 4;
    const end = start + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    strings.push(blob.subarray(start, end));
    at = end;
  }
  return strings;
}

function isEd25519(key: Buffer | undefined): boolean {
  return key?.length === ed25519Bytes;
}

function isPoint(curve: string, [name, point]: readonly Buffer[]): boolean {
  if (name?.toString("latin1") !== curve || point === undefined) return false;
  return point.length === pointBytes[curve] && point[0] === 4;
}

/** Of a number as RFC 4251 has it: big-endian, a zero before it where the first bit is set. */
function bitsOf(number: Buffer | undefined): number {
  if (number === undefined) return 0;
  const start = number.findIndex((byte) => byte !== 0);
  return start < 0 ? 0 : 8 * (number.length - start) - Math.clz32(number[start] ?? 0) + 24;
}
