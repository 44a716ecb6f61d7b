import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Responder, congestedBytes } from "../../src/agent/session/responder.ts";
import { decodeEnvelope } from "../../src/wire/envelope.ts";
import { FrameDecoder } from "../../src/wire/frame-decoder.ts";

/** A port that takes at most what the test allows, and a host that decodes it. */
function setUp() {
  let room = 0;
  const ids: string[] = [];
  let skipped = 0;
  let relieved = 0;
  const host = new FrameDecoder({
    decode: decodeEnvelope,
    onMessage: (message) => ids.push(message.messageId),
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

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const data = (id: string, bytes: number) => ({
  messageId: id,
  fileReadResponse: { data: Buffer.alloc(bytes) },
});

describe("responder", () => {
  it("sends control before replies before telemetry before bulk, and never inside a frame", async () => {
    const { responder, ids, give } = setUp();
    responder.send("bulk", data("begun", 1000));
    await turn();
    give(10);
    responder.send("bulk", data("bulk", 1000));
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
          for (const [i, { lane, bytes }] of frames.entries()) {
            responder.send(lane, data(`${lane} ${i}`, bytes));
            if (i % 3 === 0) await turn();
            const room = rooms[i];
            if (room !== undefined) give(room);
          }
          give(100_000_000);
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
      responder.send("bulk", data("begun", 1000));
      responder.send("bulk", data("waiting", 1000));
      await turn();
      give(finishFrame ? 100 : 0);
      responder.clear({ finishFrame });
      responder.send("control", { messageId: "next session", pong: {} });
      give(1_000_000);
      assert.deepEqual(ids, finishFrame ? ["begun", "next session"] : ["next session"]);
    }
  });

  it("says when it is congested and when that is over", async () => {
    const { responder, give, relieved } = setUp();
    while (!responder.congested) responder.send("bulk", data("x", 100_000));
    assert.ok(responder.waitingBytes > congestedBytes);
    await turn();
    give(congestedBytes / 4);
    assert.equal(relieved(), 0);
    give(congestedBytes);
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
