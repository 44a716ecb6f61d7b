import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { TerminalModes } from "../../src/cli/exec/terminal-modes.ts";

/** What has to be sent after this output. */
function undone(chunks: readonly string[]): string {
  const modes = new TerminalModes();
  for (const chunk of chunks) modes.follow(Buffer.from(chunk));
  return modes.undo();
}

const editor = "\u001b[?1049h\u001b[?25l\u001b[?1000;1006h\u001b[?2004htext\r\n";

describe("the modes of a terminal", () => {
  it("are left alone when nothing was changed", () => {
    assert.equal(undone([]), "");
    assert.equal(undone(["text\r\n\u001b[31mred\u001b[m\r\n"]), "");
  });

  it("are usual again after a program that was cut off", () => {
    assert.equal(undone([editor]), "\u001b[?1049l\u001b[?25h\u001b[?1000l\u001b[?1006l\u001b[?2004l\u001b[m");
  });

  it("are left alone after a program that has cleaned up", () => {
    assert.equal(undone([editor, "\u001b[?2004l\u001b[?1000;1006l\u001b[?25h\u001b[?1049l\r\n"]), "");
  });

  it("begin a line of our own", () => {
    assert.equal(undone(["root@web1:~# "]), "\r\n");
  });

  it("are undone once", () => {
    const modes = new TerminalModes();
    modes.follow(Buffer.from(editor));
    modes.undo();
    assert.equal(modes.undo(), "");
  });

  it("are the same for any chunks", () => {
    const parts = fc.array(
      fc.constantFrom(
        "\u001b[?25l",
        "\u001b[?25h",
        "\u001b[?1049;7h",
        "\u001b[?1049l",
        "\u001b",
        "[",
        "?7l",
        "text",
        "\n",
      ),
    );
    fc.assert(
      fc.property(parts, fc.array(fc.nat(80), { maxLength: 8 }), (pieces, cuts) => {
        const output = pieces.join("");
        const ends = [...cuts.filter((cut) => cut < output.length).sort((a, b) => a - b), output.length];
        assert.equal(
          undone(ends.map((end, index) => output.slice(ends[index - 1] ?? 0, end))),
          undone([output]),
        );
      }),
    );
  });
});
