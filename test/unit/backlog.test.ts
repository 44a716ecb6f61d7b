import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Backlog } from "../../src/host/backlog.ts";

function all(backlog: Backlog): Buffer[] {
  const pieces: Buffer[] = [];
  for (let piece = backlog.shift(); piece; piece = backlog.shift()) pieces.push(piece);
  return pieces;
}

describe("output that waits for its reader", () => {
  it("comes out as it went in, however it was cut and whenever it is taken", () => {
    const piece = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 9_000 }).map((length) => new Uint8Array(length).fill(length)),
    );
    fc.assert(
      fc.property(fc.array(fc.option(piece)), (steps) => {
        const backlog = new Backlog();
        const taken: Buffer[] = [];
        for (const step of steps) {
          if (step) backlog.push(Buffer.from(step));
          else taken.push(backlog.shift() ?? Buffer.alloc(0));
        }
        assert.deepEqual(
          Buffer.concat([...taken, ...all(backlog)]),
          Buffer.concat(steps.map((step) => step ?? new Uint8Array())),
        );
      }),
    );
  });

  it("does not copy pieces of usual size", () => {
    const backlog = new Backlog();
    const frame = Buffer.alloc(64 * 1024 + 60);
    backlog.push(frame.subarray(60));
    assert.equal(backlog.shift()?.buffer, frame.buffer);
  });

  it("keeps little more alive than its bytes, whatever pieces it is given", () => {
    // A byte of each 64 KiB that were read; bytes that were read alone; large pieces out of larger frames.
    const hostile = [
      () => Buffer.alloc(64 * 1024).subarray(7, 8),
      () => Buffer.alloc(1),
      () => Buffer.alloc(1024 * 1024).subarray(0, 5_000),
    ];
    for (const make of hostile) {
      const backlog = new Backlog();
      let bytes = 0;
      for (let i = 0; i < 2_000; i++) {
        const piece = make();
        bytes += piece.length;
        backlog.push(piece);
      }
      const pieces = all(backlog);
      const kept = new Set(pieces.map(({ buffer }) => buffer));
      const keptBytes = [...kept].reduce((sum, { byteLength }) => sum + byteLength, 0);
      assert.ok(keptBytes <= 4 * bytes + 64 * 1024, `${keptBytes} bytes are kept for ${bytes}`);
      assert.ok(pieces.length <= 1 + bytes / 4096, `${pieces.length} pieces for ${bytes} bytes`);
    }
  });

  it("says how much it drops", () => {
    const backlog = new Backlog();
    for (const bytes of [3, 70_000, 1]) backlog.push(Buffer.alloc(bytes));
    assert.equal(backlog.clear(), 70_004);
    assert.equal(backlog.shift(), undefined);
  });
});
