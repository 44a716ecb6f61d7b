import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { EscapeParser, type Escapes, type Typed } from "../../src/cli/exec/escape-parser.ts";

/** What is made of some chunks: text for the command, and escapes in angle brackets. */
function typed(chunks: readonly (string | Uint8Array)[], escapes: Escapes = { detach: true }): string {
  const parser = new EscapeParser(escapes);
  const show = (part: Typed): string => (typeof part === "string" ? `<${part}>` : part.toString("latin1"));
  return chunks.flatMap((chunk) => parser.push(Buffer.from(chunk)).map(show)).join("");
}

describe("the escape parser", () => {
  const cases: [name: string, input: string, expected: string][] = [
    ["ends on ~. at the very start", "~.", "<end>"],
    ["ends on ~. after Enter, as a raw terminal sends it", "ls\r~.", "ls\r<end>"],
    ["ends on ~. after a line feed", "ls\n~.", "ls\n<end>"],
    ["drops what comes behind an end", "~.rm\r~?", "<end>"],
    ["detaches on ~d, and drops the rest", "~dx", "<detach>"],
    ["leaves ~. in a line alone", "a~.", "a~."],
    ["sends one tilde for ~~", "~~", "~"],
    ["is in a line after ~~", "~~~.", "~~."],
    ["shows help, and is at the start of a line still", "~?~.", "<help><end>"],
    ["sends both keys of what is no escape", "~a~.", "~a~."],
    ["sends a tilde and Enter, and is at the start of a line", "~\r~.", "~\r<end>"],
    ["keeps a tilde until the next key", "~", ""],
    ["keeps bytes of any value", "\u0000\u00ff\u001b[A\u0003", "\u0000\u00ff\u001b[A\u0003"],
  ];
  for (const [name, input, expected] of cases) {
    it(name, () => {
      assert.equal(typed([Buffer.from(input, "latin1")]), expected);
    });
  }

  it("knows no ~d where detaching is not possible", () => {
    assert.equal(typed(["~d\r~."], { detach: false }), "~d\r<end>");
  });

  /** Mostly what matters. */
  const keys = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(..."~~~.?d\r\n".split("").map((key) => key.charCodeAt(0))) },
      { weight: 1, arbitrary: fc.nat(255) },
    ),
    { maxLength: 60 },
  );

  it("gives the same for any chunks", () => {
    fc.assert(
      fc.property(keys, fc.array(fc.nat(60), { maxLength: 8 }), fc.boolean(), (bytes, cuts, detach) => {
        const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = ends.map((end, index) => Uint8Array.from(bytes.slice(ends[index - 1] ?? 0, end)));
        assert.equal(typed(chunks, { detach }), typed([Uint8Array.from(bytes)], { detach }));
      }),
    );
  });

  it("changes nothing where no tilde begins a line", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replace(/(^|[\r\n])~+/g, "$1");
        const bytes = Buffer.from(plain);
        assert.equal(typed([bytes]), bytes.toString("latin1"));
      }),
    );
  });
});
