/** Headers, and contents with what they are filled up with, are multiples of this. */
export const blockBytes = 512;

export function padded(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

/** The sum of a header's bytes, with spaces in place of the checksum itself. */
export function checksumOf(header: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at++) sum += header[at] ?? 0;
  for (let at = 156; at < blockBytes; at++) sum += header[at] ?? 0;
  return sum;
}
