import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Capture } from "../../src/agent/commands/capture.ts";
import type { OutputPipe } from "../../src/agent/commands/output-pipe.ts";

/** A pipe that gives a byte at a time. */
function slowPipe(count: number): OutputPipe {
  let given = 0;
  return {
    get mayHaveMore() {
      return given < count;
    },
    get ended() {
      return given === count;
    },
    watch: () => undefined,
    read(buffer: Uint8Array) {
      buffer[0] = 0x30 + (given++ % 10);
      return 1;
    },
    close: () => undefined,
  } as unknown as OutputPipe;
}

describe("capture", () => {
  it("costs little more than its bytes, however small the pieces they come in", async () => {
    const count = 500_000;
    const before = process.memoryUsage();
    const capture = new Capture(slowPipe(count), count);
    await capture.ended;
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.external - before.heapUsed - before.external;
    assert.equal(capture.text(), "0123456789".repeat(count / 10));
    assert.ok(grown < 40 * 1024 * 1024, `${grown} bytes`);
  });
});
