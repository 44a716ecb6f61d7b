import { Writer } from "protobufjs/minimal.js";
import { type Framing, checkFrameBytes, writeFrameHeader } from "./frame.ts";
import { limiquantix } from "./gen/agent.js";

export const { AgentMessage, ErrorSeverity, FileKind, OnDisconnect, ShutdownType, TimeSource } =
  limiquantix.agent.v1;
export type FileKind = limiquantix.agent.v1.FileKind;
export type ShutdownType = limiquantix.agent.v1.ShutdownType;
export type TimeSource = limiquantix.agent.v1.TimeSource;
export type TerminalSize = limiquantix.agent.v1.TerminalSize.$Properties;
export type AgentMessage = limiquantix.agent.v1.AgentMessage;
/** An envelope as it is given to the encoder: what is left out is not sent. */
export type Envelope = limiquantix.agent.v1.AgentMessage.$Properties;

/** The envelope in a frame's body; undefined when the bytes are none. Never throws. */
export function decodeEnvelope(body: Uint8Array): AgentMessage | undefined {
  try {
    return AgentMessage.decode(body);
  } catch {
    return undefined; // every kind of broken input ends here: truncated, wrong types, nested too deep
  }
}

/**
 * A message in its frame. The header's place is kept free while encoding, so nothing is copied to put it there.
 * Throws RangeError when the message is larger than a frame. One that carries a piece of a file is made in what `allocate`
 * gives, if it has room.
 */
export function encodeFrame(
  framing: Framing,
  envelope: Envelope,
  allocate: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafeSlow(bytes),
): Buffer {
  const writer = Writer.create();
  const dataBytes = dataBytesOf(envelope);
  // A writer that grows around a piece of a file allocates, and copies it, three times.
  if (dataBytes > largeDataBytes) writer.buf = allocate(dataBytes + otherBytes);
  writer.fixed32(0);
  if (framing === "magic") writer.fixed32(0);
  const headerBytes = writer.pos;
  AgentMessage.encode(envelope, writer);
  const bodyBytes = writer.pos - headerBytes;
  checkFrameBytes(bodyBytes);
  const frame = writer.finish(dataBytes > largeDataBytes) as Buffer;
  writeFrameHeader(frame, framing, bodyBytes);
  return frame;
}

const largeDataBytes = 4096;

/** Room for all else of a message that carries a piece of a file; with more it grows. */
const otherBytes = 1024;

function dataBytesOf({ fileReadResponse, fileWrite }: Envelope): number {
  return fileReadResponse?.data?.length ?? fileWrite?.data?.length ?? 0;
}

/** A google.protobuf.Timestamp for a time in milliseconds since 1970. */
export function timestamp(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/**
 * A 64-bit number as decoded. Over 2^53 the nearest number that JavaScript has: where that matters, as for the
 * sequence of a ping, keep the Long.
 */
export function toNumber(value: number | { toNumber(): number }): number {
  return typeof value === "number" ? value : value.toNumber();
}
