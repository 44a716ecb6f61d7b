import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import fc from "fast-check";
import { decodeEnvelope, encodeFrame } from "../../src/wire/envelope.ts";
import { FrameDecoder } from "../../src/wire/frame-decoder.ts";
import { type Framing, maxFrameBytes } from "../../src/wire/frame.ts";

interface Received {
  id: string;
  framing: Framing;
}

function receiver(frameTimeoutMs = 5_000) {
  const received: Received[] = [];
  let skippedBytes = 0;
  const decoder = new FrameDecoder({
    decode: decodeEnvelope,
    onMessage: (message, framing) => void received.push({ id: message.messageId, framing }),
    onGarbage: (bytes) => (skippedBytes += bytes),
    frameTimeoutMs,
  });
  return { decoder, received, skipped: () => skippedBytes };
}

/** A frame of the given size class, with an id of its own. */
const frame = (framing: Framing, id: string, bodyBytes = 0): Buffer =>
  encodeFrame(framing, { messageId: id, fileWrite: { path: "/x", data: Buffer.alloc(bodyBytes, 0x0a) } });

/** Runs `body` with a clock that stands still but for `later`. */
async function withClock(body: (later: (ms: number) => Promise<void>) => Promise<void>): Promise<void> {
  let now = 1000;
  mock.timers.enable({ apis: ["setTimeout"] });
  const clock = mock.method(performance, "now", () => now);
  try {
    await body(async (ms) => {
      now += ms;
      mock.timers.tick(ms);
      await new Promise((resolve) => setImmediate(resolve));
    });
  } finally {
    clock.mock.restore();
    mock.timers.reset();
  }
}

const framings = fc.constantFrom<Framing>("plain", "magic");
const frames = fc.array(fc.record({ framing: framings, bytes: fc.integer({ min: 0, max: 3000 }) }), {
  maxLength: 20,
});

/** Cuts a buffer at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((start, i) => bytes.subarray(start, sorted[i] ?? bytes.length));
}

describe("frame decoder", () => {
  it("gives the same messages however the bytes are split, in any order of framings", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(100_000), { maxLength: 40 }), (list, cuts) => {
        const { decoder, received, skipped } = receiver();
        const sent = list.map(({ framing, bytes }, i) => ({ framing, id: `id-${i}`, bytes }));
        const stream = Buffer.concat(sent.map(({ framing, id, bytes }) => frame(framing, id, bytes)));
        for (const piece of cut(stream, cuts)) decoder.push(Buffer.from(piece));
        assert.deepEqual(
          received,
          sent.map(({ framing, id }) => ({ id, framing })),
        );
        assert.equal(skipped(), 0);
        assert.equal(decoder.bufferedBytes, 0);
      }),
    );
  });

  it("gives the same messages, kept or not, when bytes are read where it asks for them", () => {
    const sizes = fc.array(fc.oneof(fc.nat(500), fc.nat(200_000)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sizes, fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1 }), (list, reads) => {
        const bodies: Buffer[] = [];
        const decoder = new FrameDecoder({
          decode: decodeEnvelope,
          onMessage: ({ fileWrite }) => {
            const data = fileWrite?.data as Buffer;
            const isKept = bodies.length % 2 === 0;
            bodies.push(isKept ? data : Buffer.from(data));
            return isKept ? undefined : "done";
          },
          onGarbage: () => assert.fail("garbage"),
        });
        const contents = list.map((bytes, i) => Buffer.alloc(bytes, `content ${i} `));
        const stream = Buffer.concat(
          contents.map((data, i) =>
            encodeFrame("plain", { messageId: `id-${i}`, fileWrite: { path: "/x", data } }),
          ),
        );
        for (let at = 0, i = 0; at < stream.length; i++) {
          const target = decoder.room(65_536) ?? Buffer.alloc(65_536);
          const count = stream.copy(target.subarray(0, reads[i % reads.length]), 0, at);
          decoder.push(target.subarray(0, count));
          at += count;
        }
        assert.deepEqual(bodies, contents);
      }),
    );
  });

  it("finds every good frame among garbage once the garbage has run out of excuses", () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ bytes, claims: 0 })),
      // The start of a frame whose rest never comes.
      fc
        .record({
          framing: framings,
          kept: fc.integer({ min: 1, max: 60 }),
          bytes: fc.integer({ min: 60, max: 5000 }),
        })
        .map(({ framing, kept, bytes }) => {
          const whole = frame(framing, "cut", bytes);
          return { bytes: new Uint8Array(whole.subarray(0, kept)), claims: whole.length };
        }),
      // Lengths nobody may believe.
      fc
        .constantFrom([0, 0, 0, 0], [255, 255, 255, 255], [1, 0, 0, 1], [0x51, 0x54, 0x58, 1, 0, 0, 0, 0])
        .map((list) => ({ bytes: Uint8Array.from(list), claims: 0 })),
    );
    const cuts = fc.array(fc.nat(50_000), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(fc.tuple(noise, framings), { maxLength: 12 }), cuts, (list, places) => {
        const { decoder, received } = receiver();
        const parts: Buffer[] = [];
        const claimed: [from: number, to: number][] = [];
        const starts: number[] = [];
        let at = 0;
        for (const [i, [{ bytes, claims }, framing]] of list.entries()) {
          claimed.push([at, at + claims]);
          const good = frame(framing, `good-frame-${i}`, i * 50);
          starts.push(at + bytes.length);
          parts.push(Buffer.from(bytes), good);
          at += bytes.length + good.length;
        }
        for (const piece of cut(Buffer.concat(parts), places)) decoder.push(Buffer.from(piece));
        decoder.expire();
        assert.equal(decoder.bufferedBytes, 0);

        const ids = received.map(({ id }) => id);
        // A cut frame is made whole by what follows it if that happens to decode, as file data or as the rest of its
        // id: no decoder can tell. Only frames in the range that it claims may be lost with it.
        const madeWhole = ids.some((id) => !id.startsWith("good-frame-"));
        const mayBeLost = (i: number): boolean =>
          madeWhole && claimed.some(([from, to]) => from < (starts[i] ?? 0) && (starts[i] ?? 0) < to);
        const missing = starts.map((_, i) => i).filter((i) => !ids.includes(`good-frame-${i}`));
        assert.deepEqual(
          missing.filter((i) => !mayBeLost(i)),
          [],
        );
        const found = ids.filter((id) => id.startsWith("good-frame-"));
        assert.deepEqual(found, [...new Set(found)], "none is given twice");
      }),
      { numRuns: 1000 },
    );
  });

  it("never throws and never keeps more than a frame, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 30 }), (chunks) => {
        const { decoder } = receiver();
        for (const chunk of chunks) decoder.push(Buffer.from(chunk));
        assert.ok(decoder.bufferedBytes <= 30 * 500);
        decoder.expire();
        assert.equal(decoder.bufferedBytes, 0);
      }),
      { numRuns: 1000 },
    );
  });

  it("takes a frame of exactly 16 MiB and refuses one more byte without waiting for it", () => {
    const { decoder, received, skipped } = receiver();
    const overhead = encodeFrame("plain", { messageId: "big", fileRead: { path: "" } }).length;
    let data = maxFrameBytes - overhead - 100;
    let whole = encodeFrame("plain", { messageId: "big", fileWrite: { data: Buffer.alloc(data) } });
    data += 4 + maxFrameBytes - whole.length;
    whole = encodeFrame("plain", { messageId: "big", fileWrite: { data: Buffer.alloc(data) } });
    assert.equal(whole.length, 4 + maxFrameBytes);
    decoder.push(whole);
    decoder.push(Buffer.from([1, 0, 0, 1]));
    decoder.push(frame("plain", "next"));
    assert.deepEqual(
      received.map(({ id }) => id),
      ["big", "next"],
    );
    assert.equal(skipped(), 4);
    assert.throws(
      () => encodeFrame("plain", { messageId: "big", fileWrite: { data: Buffer.alloc(data + 1) } }),
      RangeError,
    );
  });

  it("gives up a frame that gets no further, and answers what was taken for its body", () =>
    withClock(async (later) => {
      const { decoder, received } = receiver(5_000);
      decoder.push(frame("plain", "dead-host", 60_000).subarray(0, 500));
      await later(10);
      decoder.push(frame("plain", "new-host"));
      assert.deepEqual(received, []);
      await later(5_001);
      await later(5_001);
      assert.deepEqual(
        received.map(({ id }) => id),
        ["new-host"],
      );
    }));

  it("gives up a frame that only small messages of another host go on filling", () =>
    withClock(async (later) => {
      const { decoder, received } = receiver(5_000);
      decoder.push(frame("plain", "dead-host", 60_000).subarray(0, 500));
      for (let second = 1; second <= 12; second++) {
        await later(1_000);
        decoder.push(frame("plain", `ping-${second}`));
      }
      assert.deepEqual(
        received.map(({ id }) => id),
        Array.from({ length: 12 }, (_, i) => `ping-${i + 1}`),
      );
    }));

  it("does not hold a pause of its own reader against the host", () =>
    withClock(async (later) => {
      const { decoder, received, skipped } = receiver(5_000);
      const whole = frame("plain", "patient", 1000);
      decoder.push(whole.subarray(0, 500));
      decoder.holdDeadline();
      await later(60_000);
      decoder.resumeDeadline();
      await later(4_000);
      decoder.push(whole.subarray(500));
      assert.deepEqual(
        received.map(({ id }) => id),
        ["patient"],
      );
      assert.equal(skipped(), 0);
    }));

  it("reads what came while the machine stood still before it judges", () =>
    withClock(async (later) => {
      const { decoder, received, skipped } = receiver(5_000);
      const whole = frame("plain", "paused", 1000);
      decoder.push(whole.subarray(0, 500));
      const overdue = later(60_000);
      decoder.push(whole.subarray(500)); // in the poll phase behind the timer
      await overdue;
      assert.equal(received.length, 1);
      assert.equal(skipped(), 0);
    }));

  it("starts anew at a reset, at a frame boundary", () => {
    const { decoder, received, skipped } = receiver();
    decoder.push(frame("magic", "old", 1000).subarray(0, 700));
    decoder.reset();
    decoder.push(frame("plain", "new"));
    assert.deepEqual(received, [{ id: "new", framing: "plain" }]);
    assert.equal(skipped(), 700);
  });

  it("accepts an envelope without message_id where frames are in step", () => {
    const { decoder, received } = receiver();
    decoder.push(encodeFrame("plain", { ping: { sequence: 7 } }));
    assert.equal(received.length, 1);
  });

  it("stays quick on bytes made to look like frames inside frames", () => {
    const { decoder, received } = receiver();
    // Each 0x0a of this run is a plausible frame of nearly the whole rest, and none decodes.
    const trap = Buffer.alloc(8 * 1024 * 1024);
    for (let at = 0; at + 8 < trap.length; at += 8)
      trap.set([0, 0x3f, 0xff, 0xf0, 0x0a, 0x01, 0x61, 0x52], at);
    decoder.push(trap);
    decoder.expire();
    decoder.push(frame("plain", "after"));
    assert.deepEqual(received.map(({ id }) => id).slice(-1), ["after"]);
  });

  it("takes a large frame in one-byte pieces without keeping the pieces", () => {
    const { decoder, received } = receiver();
    const whole = frame("magic", "crumbs", 300_000);
    for (let i = 0; i < whole.length; i++) decoder.push(whole.subarray(i, i + 1));
    assert.deepEqual(received, [{ id: "crumbs", framing: "magic" }]);
  });
});
