import { Writer } from "protobufjs/minimal.js";
import { type Framing, writeFrameHeader } from "./frame.ts";

/** Room that must be free before the data: frame header, two ids and a few tags and lengths. */
export const streamDataHeadBytes = 256;

/**
 * Bytes of one StreamData: a ping never waits behind more, and with its head it is two writes to a virtio port, which
 * takes 32 KiB at a time.
 */
export const maxStreamDataBytes = 64 * 1024 - streamDataHeadBytes;

const longestIdBytes = 64;

/** A session's id, a slash and a number. */
const longestMessageIdBytes = 100;

/** Numbers of agent.proto, with their wire types. */
const tags = {
  messageId: (1 << 3) | 2,
  streamData: (230 << 3) | 2,
  streamId: (1 << 3) | 2,
  channel: 2 << 3,
  end: 3 << 3,
  data: (4 << 3) | 2,
};

export interface StreamDataHead {
  /** At most 64 ASCII characters. */
  streamId: string;
  /** At most 100 ASCII characters; the stream's id unless given. */
  messageId?: string;
  channel: number;
  end: boolean;
}

/**
 * Makes the frame of a StreamData around data that is in `buffer` already, at streamDataHeadBytes: what was read from a
 * pipe or a file leaves without being copied. The frame shares the buffer's memory. Of a buffer that ends at
 * streamDataHeadBytes only what stands before the data is made.
 */
export function frameStreamData(
  framing: Framing,
  { streamId, messageId = streamId, channel, end }: StreamDataHead,
  buffer: Buffer,
  dataBytes: number,
): Buffer {
  if (streamId.length > longestIdBytes)
    throw new RangeError(`a stream's id of ${streamId.length} characters`);
  if (messageId.length > longestMessageIdBytes)
    throw new RangeError(`a message_id of ${messageId.length} characters`);
  const inner = Writer.create().uint32(tags.streamId).string(streamId).uint32(tags.channel).uint32(channel);
  if (end) inner.uint32(tags.end).bool(true);
  inner.uint32(tags.data).uint32(dataBytes);
  const outer = Writer.create()
    .uint32(tags.messageId)
    .string(messageId)
    .uint32(tags.streamData)
    .uint32(inner.pos + dataBytes);
  const bodyBytes = outer.pos + inner.pos + dataBytes;
  const headerBytes = framing === "magic" ? 8 : 4;
  const dataStart = streamDataHeadBytes;
  const start = dataStart - inner.pos - outer.pos - headerBytes;
  buffer.set(inner.finish(), dataStart - inner.pos);
  buffer.set(outer.finish(), start + headerBytes);
  const frame = buffer.subarray(start, dataStart + dataBytes);
  writeFrameHeader(frame, framing, bodyBytes);
  return frame;
}
