import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Window, firstWindowBytes, largestWindowBytes } from "../../src/host/files/window.ts";
import { maxStreamDataBytes } from "../../src/wire/stream-frame.ts";

describe("the window of a download", () => {
  const grants: number[] = [];
  const begin = (windowBytes?: number): Window => {
    grants.length = 0;
    return new Window(windowBytes, (bytes) => grants.push(bytes));
  };

  it("doubles to its largest while both ends wait for it", () => {
    const window = begin();
    for (let i = 0; i < 20; i++) {
      const { bytes } = window;
      assert.ok(window.receive(bytes));
      window.take(bytes);
      window.receive(bytes); // all of it again, before the reader asks
      window.starved();
      window.take(bytes);
    }
    assert.equal(window.bytes, largestWindowBytes);
  });

  it("stays small for a reader who is slower than the guest, or a guest who is slower than it", () => {
    const slowReader = begin();
    slowReader.receive(firstWindowBytes);
    for (let i = 0; i < 100; i++) {
      slowReader.take(firstWindowBytes / 4);
      slowReader.receive(firstWindowBytes / 4);
    }
    assert.equal(slowReader.bytes, firstWindowBytes);
    const slowGuest = begin();
    for (let i = 0; i < 100; i++) {
      slowGuest.receive(10_000);
      slowGuest.take(10_000);
      slowGuest.starved();
    }
    assert.equal(slowGuest.bytes, firstWindowBytes);
  });

  it("grants whole frames", () => {
    const window = begin();
    window.receive(firstWindowBytes);
    for (let i = 0; i < 16; i++) window.take(firstWindowBytes / 16 - 1);
    const granted = grants.reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(granted >= firstWindowBytes / 2);
    assert.equal(granted % maxStreamDataBytes, 0);
  });

  it("stays as the caller says, and grants what was taken, in lumps", () => {
    const window = begin(1_000);
    assert.ok(window.receive(1_000));
    assert.equal(window.receive(1), false);
    for (let i = 0; i < 100; i++) window.take(10);
    window.starved();
    assert.deepEqual(grants, [250, 250, 250, 250]);
    assert.equal(window.bytes, 1_000);
  });
});
