import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSeconds } from "../../src/cli/seconds.ts";
import { jsonLine, printable, printableData, printableText } from "../../src/cli/ui/printable.ts";
import { bytes, duration } from "../../src/cli/ui/units.ts";

describe("the words of limiquantix-ctl", () => {
  it("writes bytes with three digits at most and never 1024 of a unit", () => {
    const GiB = 1024 ** 3;
    const cases: [number, string][] = [
      [0, "0 B"],
      [1023, "1023 B"],
      [1024, "1.0 KiB"],
      [1024 ** 2 - 1, "1.0 MiB"],
      [9.94 * GiB, "9.9 GiB"],
      [9.96 * GiB, "10 GiB"],
      [117 * GiB, "117 GiB"],
      [2 ** 80, "1048576 EiB"],
    ];
    for (const [count, text] of cases) assert.equal(bytes(count), text);
  });

  it("writes durations in two units", () => {
    const cases: [number, string][] = [
      [0, "0 s"],
      [59.9, "59 s"],
      [60, "1 min"],
      [3723, "1 h 2 min"],
      [86_400 * 3 + 59, "3 d"],
    ];
    for (const [seconds, text] of cases) assert.equal(duration(seconds), text);
  });

  it("reads seconds and their units", () => {
    const cases: [string, number][] = [
      ["30", 30],
      ["1.5", 1.5],
      ["500ms", 0.5],
      ["30s", 30],
      ["2m", 120],
      ["1h", 3600],
    ];
    for (const [text, seconds] of cases) assert.equal(parseSeconds(text), seconds);
    for (const text of ["", "x", "-1", "1e3", "5d", "0", "0ms", "1 s", "9999999999"]) {
      assert.throws(() => parseSeconds(text), { code: "commander.invalidArgument" }, text);
    }
  });

  it("shows what a guest sends without obeying it", () => {
    assert.equal(printable("a\u001b[31mb\u0007\u009bc\u202ed\n"), "a\\x1b[31mb\\x07\\x9bc\\u202ed\\x0a");
    assert.equal(printable("Grüße 計算機"), "Grüße 計算機");
    assert.equal(printableText("a\n\u001bb"), "a\n\\x1bb");
    assert.deepEqual(printableData({ "k\u0007": ["\u001b", 1, null] }), { "k\\x07": ["\\x1b", 1, null] });
    const nasty = { text: "\u009b\u007f\u2028\u001b" };
    assert.deepEqual(JSON.parse(jsonLine(nasty)), nasty);
    assert.match(jsonLine(nasty), /^[\u0020-\u007e]+$/);
  });
});
