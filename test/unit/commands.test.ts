import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { wholeCharacters } from "../../src/agent/commands/capture.ts";
import { candidatesFor } from "../../src/agent/commands/executable.ts";
import { Gate } from "../../src/agent/commands/gate.ts";
import { OutputHistory } from "../../src/agent/commands/output-history.ts";
import { RateLimit } from "../../src/agent/policy/rate-limit.ts";
import { until } from "../support/until.ts";

describe("output history", () => {
  it("keeps the newest bytes and gives them from any position", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.array(fc.uint8Array({ maxLength: 6_000 }), { maxLength: 20 }),
        fc.nat(100_000),
        fc.integer({ min: 1, max: 5_000 }),
        (maxBytes, pieces, at, room) => {
          const history = new OutputHistory(maxBytes);
          for (const piece of pieces) history.push(Buffer.from(piece));
          const all = Buffer.concat(pieces);
          assert.equal(history.end, all.length);
          assert.equal(history.start, Math.max(0, all.length - maxBytes));
          const position = Math.min(all.length, history.start + at);
          const target = Buffer.alloc(room);
          const count = history.copy(position, target);
          assert.ok(target.subarray(0, count).equals(all.subarray(position, position + room)));
        },
      ),
    );
  });

  it("counts what went by, and forgets", () => {
    const history = new OutputHistory(100);
    history.pass(10);
    history.push(Buffer.from("abc"));
    history.forgetBefore(12);
    const target = Buffer.alloc(10);
    assert.equal(history.copy(12, target), 1);
    assert.equal(target.toString("latin1", 0, 1), "c");
    assert.deepEqual([history.start, history.end], [12, 13]);
  });
});

describe("text that was cut", () => {
  it("never ends in the middle of a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(400), (text, cut) => {
        const bytes = Buffer.from(text).subarray(0, cut);
        const whole = bytes.subarray(0, wholeCharacters(bytes));
        assert.ok(bytes.length - whole.length <= 3);
        assert.ok(Buffer.from(whole.toString("utf8")).equals(whole));
      }),
    );
  });
});

describe("places where a program may be", () => {
  it("are PATH's folders, or the one that is named; never a folder that is not absolute", () => {
    const place = { searchPath: "/a::b:/c", folder: "/home/x" };
    assert.deepEqual(candidatesFor("ls", place), ["/a/ls", "/c/ls"]);
    assert.deepEqual(candidatesFor("./ls", place), ["/home/x/ls"]);
    assert.deepEqual(candidatesFor("/bin/ls", place), ["/bin/ls"]);
    for (const command of ["", "a\0b"]) {
      assert.throws(() => candidatesFor(command, place), { code: "commandNotFound" });
    }
    assert.throws(() => candidatesFor("ls", { searchPath: ".:", folder: "/" }), { code: "commandNotFound" });
  });
});

describe("gate", () => {
  it("lets a few through at a time, in order, and is not held up by one that does not leave", async () => {
    const gate = new Gate(2, 50);
    const inside: number[] = [];
    const enter = async (n: number): Promise<() => void> => {
      const leave = await gate.enter();
      inside.push(n);
      return leave;
    };
    const [first] = await Promise.all([enter(1), enter(2)]);
    const waiting = [enter(3), enter(4)];
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(inside, [1, 2]);
    first();
    first();
    await waiting[0];
    assert.deepEqual(inside, [1, 2, 3]);
    await until("those that stay to lose their places", () => inside.length === 4);
  });
});

describe("rate limit", () => {
  it("admits so many in any window", (test) => {
    let now = 0;
    test.mock.method(performance, "now", () => now);
    const limit = new RateLimit(2, 1000);
    assert.deepEqual([limit.admit(), limit.admit(), limit.admit()], [true, true, false]);
    now = 999;
    assert.equal(limit.admit(), false);
    now = 1000;
    assert.deepEqual([limit.admit(), limit.admit(), limit.admit()], [true, true, false]);
  });
});
