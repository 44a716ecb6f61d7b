/**
 * plain: u32 big-endian length, body. magic: `51 54 58 01`, u32 big-endian length, body.
 * Read as a length the magic is 1,364,547,585, far over the limit, so each frame's start tells which it is.
 */
export type Framing = "plain" | "magic";

/** A frame's body is 1 byte to 16 MiB of protobuf; both generations of hosts hold to it. */
export const maxFrameBytes = 16 * 1024 * 1024;

export const magic = Uint8Array.of(0x51, 0x54, 0x58, 0x01);

/** Throws RangeError for a body that no peer would take. */
export function checkFrameBytes(bodyBytes: number): void {
  if (bodyBytes >= 1 && bodyBytes <= maxFrameBytes) return;
  throw new RangeError(`a frame carries 1 to ${maxFrameBytes} bytes, not ${bodyBytes}`);
}

/** Writes a header at the start of `frame`: 4 bytes for plain, 8 for magic. */
export function writeFrameHeader(frame: Buffer, framing: Framing, bodyBytes: number): void {
  if (framing === "magic") frame.set(magic);
  frame.writeUInt32BE(bodyBytes, framing === "magic" ? 4 : 0);
}

export interface FrameHeader {
  framing: Framing;
  headerBytes: 4 | 8;
  bodyBytes: number;
}

/** The header at `at`; "short" while more bytes must come to tell, "invalid" when it can be none. */
export function readFrameHeader(bytes: Buffer, at: number): FrameHeader | "short" | "invalid" {
  const left = bytes.length - at;
  if (left < 1) return "short";
  if (bytes[at] === magic[0]) {
    for (let i = 1; i < magic.length && i < left; i++) if (bytes[at + i] !== magic[i]) return "invalid";
    if (left < 8) return "short";
    return checked("magic", 8, bytes.readUInt32BE(at + 4));
  }
  if ((bytes[at] ?? 0) > maxFrameBytes >>> 24) return "invalid";
  if (left < 4) return "short";
  return checked("plain", 4, bytes.readUInt32BE(at));
}

function checked(framing: Framing, headerBytes: 4 | 8, bodyBytes: number): FrameHeader | "invalid" {
  return bodyBytes >= 1 && bodyBytes <= maxFrameBytes ? { framing, headerBytes, bodyBytes } : "invalid";
}
