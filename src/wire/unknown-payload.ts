import { Reader } from "protobufjs/minimal.js";

/** The number of an envelope's first field that is neither message_id (1) nor timestamp (2). */
export function firstPayloadNumber(body: Uint8Array): number | undefined {
  const reader = Reader.create(body);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 > 2) return tag >>> 3;
    reader.skipType(tag & 7);
  }
  return undefined;
}
