import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeEnvelope, encodeFrame } from "../../src/wire/envelope.ts";
import { frameStreamData, maxStreamDataBytes, streamDataHeadBytes } from "../../src/wire/stream-frame.ts";

describe("frame around data that is there already", () => {
  it("is the message that the encoder makes, in both framings", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("plain", "magic"),
        fc.stringMatching(/^[a-z0-9-]{1,64}$/),
        fc.nat(2 ** 32 - 1),
        fc.boolean(),
        fc.uint8Array({ maxLength: maxStreamDataBytes }),
        (framing, streamId, channel, end, bytes) => {
          const buffer = Buffer.alloc(streamDataHeadBytes + maxStreamDataBytes, 0xee);
          buffer.set(bytes, streamDataHeadBytes);
          const frame = frameStreamData(framing, { streamId, channel, end }, buffer, bytes.length);
          const body = frame.subarray(framing === "magic" ? 8 : 4);
          const message = decodeEnvelope(body);
          assert.equal(message?.messageId, streamId);
          const data = message.streamData;
          assert.deepEqual(
            [data?.streamId, data?.channel, data?.end, Buffer.from(data?.data ?? [])],
            [streamId, channel, end, Buffer.from(bytes)],
          );
          const encoded = encodeFrame(framing, {
            messageId: streamId,
            streamData: { streamId, channel, end, data: bytes },
          });
          assert.ok(Math.abs(encoded.length - frame.length) <= 4, "but for defaults that it may write");
        },
      ),
      { numRuns: 200 },
    );
  });

  it("carries another message_id, and has room for the longest ids there are", () => {
    const buffer = Buffer.alloc(streamDataHeadBytes + 3, "abc");
    const head = { streamId: "s".repeat(64), messageId: "m".repeat(100), channel: 2 ** 32 - 1, end: true };
    const frame = frameStreamData("magic", head, buffer, 3);
    const message = decodeEnvelope(frame.subarray(8));
    assert.equal(message?.messageId, head.messageId);
    assert.equal(message.streamData?.streamId, head.streamId);
    assert.throws(
      () => frameStreamData("plain", { ...head, messageId: "m".repeat(101) }, buffer, 3),
      RangeError,
    );
  });

  it("is only its head where the data is elsewhere", () => {
    const whole = Buffer.alloc(streamDataHeadBytes + 3, "abc");
    const head = { streamId: "s", channel: 0, end: false };
    const frame = frameStreamData("plain", head, whole, 3);
    const headOnly = frameStreamData("plain", head, Buffer.alloc(streamDataHeadBytes), 3);
    assert.deepEqual(Buffer.concat([headOnly, whole.subarray(-3)]), frame);
  });
});
