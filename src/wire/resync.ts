// How a decoder that has lost the frame boundaries tells a frame's start from garbage.
import { readFrameHeader } from "./frame.ts";

/** The tag of message_id, field 1: what every known peer's AgentMessage starts with. */
const messageIdTag = 0x0a;

/** Room for every payload number there is (10 to 299) and some to come. */
const maxFieldNumber = 511;

/**
 * Whether the bytes of a body that are there, `bytes[start..]`, can begin an AgentMessage. All its fields are
 * length-delimited. `strict`, while out of step, asks also for what every known peer sends: a short, printable
 * message_id first.
 */
export function startsLikeEnvelope(
  bytes: Buffer,
  start: number,
  bodyBytes: number,
  strict: boolean,
): boolean {
  const end = Math.min(bytes.length, start + bodyBytes);
  const first = bytes[start];
  if (first === undefined) return true;
  if (first !== messageIdTag) return !strict && isFieldTag(bytes, start, end);
  const idBytes = bytes[start + 1];
  if (idBytes === undefined) return bodyBytes > 1;
  if (idBytes > 127) return !strict;
  const afterId = start + 2 + idBytes;
  if (afterId > start + bodyBytes) return false;
  if (strict) {
    for (let i = start + 2; i < Math.min(afterId, end); i++) {
      const byte = bytes[i] ?? 0;
      if (byte < 0x20 || byte > 0x7e) return false;
    }
  }
  return afterId >= end || isFieldTag(bytes, afterId, end);
}

/** Whether a one- or two-byte tag of a length-delimited field of the envelope stands at `at`. */
function isFieldTag(bytes: Buffer, at: number, end: number): boolean {
  const low = bytes[at] ?? 0;
  if ((low & 7) !== 2) return false;
  if (low < 0x80) return low >> 3 > 0;
  if (at + 1 >= end) return true;
  const high = bytes[at + 1] ?? 0;
  const field = ((high << 7) | (low & 0x7f)) >> 3;
  return high < 0x80 && field > 0 && field <= maxFieldNumber;
}

/**
 * The next place at or after `from` where a frame may start; `bytes.length` when there is none. Looks for
 * message_id's tag and then for a header before it, so garbage costs one pass.
 */
export function nextFrameStart(bytes: Buffer, from: number): number {
  for (let tag = bytes.indexOf(messageIdTag, from); tag >= 0; tag = bytes.indexOf(messageIdTag, tag + 1)) {
    for (const headerBytes of [8, 4]) {
      const at = tag - headerBytes;
      if (at < from) continue;
      const header = readFrameHeader(bytes, at);
      if (typeof header === "object" && header.headerBytes === headerBytes) return at;
    }
  }
  // No whole header with a tag behind it; one may be cut off by the end of what has arrived.
  for (let at = Math.max(from, bytes.length - 8); at < bytes.length; at++) {
    const header = readFrameHeader(bytes, at);
    if (header === "short") return at;
    if (header !== "invalid" && at + header.headerBytes === bytes.length) return at;
  }
  return bytes.length;
}
