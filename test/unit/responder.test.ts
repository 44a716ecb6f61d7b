import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type FrameSource, Responder, congestedBytes } from "../../src/agent/session/responder.ts";
import { type Envelope, decodeEnvelope, encodeFrame } from "../../src/wire/envelope.ts";
import { FrameDecoder } from "../../src/wire/frame-decoder.ts";

/** A port that takes at most what the test allows, and a host that decodes it. */
function setUp() {
  let room = 0;
  const ids: string[] = [];
  let skipped = 0;
  let relieved = 0;
  const host = new FrameDecoder({
    decode: decodeEnvelope,
    onMessage: (message) => void ids.push(message.messageId),
    onGarbage: (bytes) => (skipped += bytes),
  });
  const responder = new Responder(
    "plain",
    (buffers) => {
      const offered = Buffer.concat(buffers);
      const taken = Math.min(room, offered.length);
      room -= taken;
      host.push(Buffer.from(offered.subarray(0, taken)));
      return taken;
    },
    () => relieved++,
  );
  const give = (bytes: number): void => {
    room += bytes;
    responder.writable();
  };
  return { responder, ids, give, host, skipped: () => skipped, relieved: () => relieved };
}

/** A source of bulk data that holds what it is given. */
function sourceFor(responder: Responder): (envelope: Envelope) => void {
  const waiting: Envelope[] = [];
  const source: FrameSource = {
    nextFrame(framing) {
      const next = waiting.shift();
      return next && encodeFrame(framing, next);
    },
  };
  return (envelope) => {
    waiting.push(envelope);
    responder.ready(source);
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const data = (id: string, bytes: number) => ({
  messageId: id,
  fileReadResponse: { data: Buffer.alloc(bytes) },
});

describe("responder", () => {
  it("tells when the port has the whole of an answer, or when it is dropped", async () => {
    const { responder, give } = setUp();
    const told: string[] = [];
    const send = (id: string): void => {
      responder.send("reply", data(id, 1000), "answer", () => told.push(id));
    };
    send("a");
    send("b");
    send("c");
    give(500);
    await turn();
    assert.deepEqual(told, []);
    give(700);
    await turn();
    assert.deepEqual(told, ["a"]);
    responder.clear({ finishFrame: true });
    assert.deepEqual(told, ["a", "c"]); // b has been begun
    give(10_000);
    assert.deepEqual(told, ["a", "c", "b"]);
    responder.clear({ finishFrame: false });
    assert.equal(told.length, 3);
  });

  it("sends control before replies before telemetry before bulk, and never inside a frame", async () => {
    const { responder, ids, give } = setUp();
    const sendBulk = sourceFor(responder);
    sendBulk(data("begun", 1000));
    await turn();
    give(10);
    sendBulk(data("bulk", 1000));
    responder.send("telemetry", { messageId: "old telemetry", telemetry: {} });
    responder.send("telemetry", { messageId: "telemetry", telemetry: {} });
    responder.send("reply", data("reply", 10));
    responder.send("control", { messageId: "pong", pong: { sequence: 1 } });
    give(1_000_000);
    assert.deepEqual(ids, ["begun", "pong", "reply", "telemetry", "bulk"]);
    assert.equal(responder.waitingBytes, 0);
  });

  it("gives every frame whole and in the order of its lane, whatever the port takes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ lane: fc.constantFrom("control", "reply", "bulk"), bytes: fc.nat(70_000) }), {
          maxLength: 30,
        }),
        fc.array(fc.nat(50_000), { maxLength: 30 }),
        async (frames, rooms) => {
          const { responder, ids, give, skipped } = setUp();
          const sendBulk = sourceFor(responder);
          for (const [i, { lane, bytes }] of frames.entries()) {
            const envelope = data(`${lane} ${i}`, bytes);
            if (lane === "bulk") sendBulk(envelope);
            else responder.send(lane, envelope);
            if (i % 3 === 0) await turn();
            const room = rooms[i];
            if (room !== undefined) give(room);
          }
          give(100_000_000);
          while (responder.waitingBytes > 0 || ids.length < frames.length) await turn();
          assert.equal(skipped(), 0);
          for (const lane of ["control", "reply", "bulk"] as const) {
            const sent = frames.map((frame, i) => `${frame.lane} ${i}`).filter((id) => id.startsWith(lane));
            assert.deepEqual(
              ids.filter((id) => id.startsWith(lane)),
              sent,
            );
          }
          assert.equal(responder.waitingBytes, 0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("finishes a frame that was begun when another session begins, and drops it when the host has gone", async () => {
    for (const finishFrame of [true, false]) {
      const { responder, ids, give } = setUp();
      const sendBulk = sourceFor(responder);
      sendBulk(data("begun", 1000));
      sendBulk(data("waiting", 1000));
      await turn();
      give(finishFrame ? 100 : 0);
      responder.clear({ finishFrame });
      responder.send("control", { messageId: "next session", pong: {} });
      give(1_000_000);
      assert.deepEqual(ids, finishFrame ? ["begun", "next session"] : ["next session"]);
    }
  });

  it("gives sources their turns, and pulls nothing that the port has no room for", async () => {
    const { responder, ids, give } = setUp();
    const pulled: string[] = [];
    const source = (name: string, left: number): FrameSource => ({
      nextFrame(framing) {
        if (left-- === 0) return undefined;
        pulled.push(name);
        return encodeFrame(framing, data(name, 64 * 1024));
      },
    });
    for (const name of ["a", "b", "c"]) responder.ready(source(name, 3));
    await turn();
    assert.deepEqual(pulled, ["a"]);
    give(100_000_000);
    while (ids.length < 9) await turn();
    assert.deepEqual(ids, ["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
  });

  it("says when it is congested and when that is over", async () => {
    const { responder, give, relieved } = setUp();
    while (!responder.congested) responder.send("reply", data("x", 100_000));
    assert.ok(responder.waitingBytes > congestedBytes);
    await turn();
    const settled = async (left: number): Promise<void> => {
      while (responder.waitingBytes > left) await turn();
    };
    const all = responder.waitingBytes;
    give(congestedBytes / 4);
    await settled(all - congestedBytes / 4);
    assert.equal(relieved(), 0);
    give(congestedBytes);
    await settled(0);
    assert.equal(relieved(), 1);
    assert.equal(responder.congested, false);
  });

  it("refuses a message larger than a frame and keeps the others", async () => {
    const { responder, ids, give } = setUp();
    assert.throws(() => {
      responder.send("reply", data("large", 17 * 1024 * 1024));
    }, RangeError);
    responder.send("reply", data("small", 1));
    await turn();
    give(1000);
    assert.deepEqual(ids, ["small"]);
  });
});
