import assert from "node:assert/strict";
import { describe, it } from "node:test";
import path from "node:path";
import fc from "fast-check";
import {
  absoluteWindowsPath,
  folded,
  isWithinOnWindows,
  longestPathUnits,
  problemOfName,
} from "../../src/agent/files/path-win32.ts";
import { CodedError } from "../../src/wire/errors.ts";

function codeOf(text: string): string {
  try {
    return absoluteWindowsPath(text);
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
}

/** Each text, and the path or the error's code that it gives. */
function table(rows: readonly (readonly [string, string])[]): void {
  for (const [text, wanted] of rows) assert.equal(codeOf(text), wanted, JSON.stringify(text));
}

describe("paths on Windows", () => {
  it("are written with backslashes, an upper-case letter, and nothing twice", () => {
    table([
      ["C:\\x", "C:\\x"],
      ["c:/x/y", "C:\\x\\y"],
      ["c:\\", "C:\\"],
      ["C:/", "C:\\"],
      ["C:\\\\x\\.\\y\\", "C:\\x\\y"],
      ["z:/a//b/./c/", "Z:\\a\\b\\c"],
      ["\\\\?\\c:\\x\\y", "C:\\x\\y"],
      ["\\\\?\\C:\\", "C:\\"],
      ["C:\\ä\\日本\\🙂", "C:\\ä\\日本\\🙂"],
      ["C:\\a b\\.hidden\\x..y\\...z", "C:\\a b\\.hidden\\x..y\\...z"],
    ]);
  });

  it("are on a drive, from its root", () => {
    for (const text of [
      ...["", "x", "x\\y", "/x", "\\x", "C:", "C:x", "c:x\\y", "1:\\x", "CC:\\x", "ä:\\x"],
      ...["\\\\server\\share", "//server/share/x", "\\\\?\\UNC\\server\\share\\x", "\\\\?\\unc\\s\\x"],
      ...[
        "\\\\.\\C:\\x",
        "//./C:/x",
        "\\\\.\\PhysicalDrive0",
        "\\\\.\\pipe\\x",
        "\\\\?\\GLOBALROOT\\Device\\x",
      ],
      ...["\\\\?\\Volume{01234567-89ab-cdef-0123-456789abcdef}\\x", "\\??\\C:\\x", "\\\\?\\C:", "\\\\?\\C:x"],
      ...["//?/C:/x", "\\\\?/C:/x", "\\\\?\\\\C:\\x", "\\\\?\\x", " C:\\x", "\\\\C:\\x", "file:///C:/x"],
    ]) {
      assert.equal(codeOf(text), "pathTraversal", JSON.stringify(text));
    }
  });

  it("have no way up", () => {
    for (const text of [
      "C:\\..",
      "C:\\x\\..\\y",
      "c:/x/../y",
      "C:\\x\\..",
      "\\\\?\\C:\\x\\..\\y",
      "C:\\x/..\\y",
    ])
      assert.equal(codeOf(text), "pathTraversal", text);
  });

  it("have no names that Windows does not take, or takes for others", () => {
    const names = [
      ...["x.", "x ", "x. .", "...", " ", "x\\y. ", "a<b", "a>b", 'a"b', "a|b", "a?b", "a*b"],
      ...["a\u0001b", "a\u001f", "a\tb", "a\nb", "x:y", "x:$DATA", "x::$DATA", ":x", "x:", "C:\\y"],
      ...[
        "con",
        "CON",
        "Con.txt",
        "prn",
        "AUX.h",
        "nul",
        "NUL.tar.gz",
        "nul .txt",
        "nul  .",
        "CONIN$",
        "conout$.x",
      ],
    ];
    for (const name of names) {
      assert.equal(codeOf(`C:\\folder\\${name}`), "invalidMessage", JSON.stringify(name));
      assert.equal(codeOf(`C:\\${name}\\file`), "invalidMessage", JSON.stringify(name));
    }
    for (const digit of "0123456789¹²³") {
      for (const device of ["com", "LPT", "Com"]) {
        assert.equal(codeOf(`C:\\${device}${digit}`), "invalidMessage");
        assert.equal(codeOf(`C:\\${device}${digit}.log`), "invalidMessage");
      }
    }
    assert.equal(codeOf("C:\\a\0b"), "invalidMessage");
    assert.equal(codeOf("\\\\?\\C:\\a/b"), "invalidMessage");
    for (const name of [
      "console",
      "com",
      "com10",
      "lpt",
      "nulx",
      "xnul",
      "x.nul",
      "aux_",
      "com⁴",
      "$con",
      "~$x",
      "x'y;&^%!",
    ])
      assert.equal(codeOf(`C:\\${name}`), `C:\\${name}`);
  });

  it("are as long as Windows has them", () => {
    const name = "n".repeat(255);
    assert.equal(codeOf(`C:\\${name}`), `C:\\${name}`);
    assert.equal(codeOf(`C:\\${name}n`), "nameTooLong");
    const long = `C:\\${Array.from({ length: 127 }, () => name).join("\\")}`;
    assert.equal(long.length, 3 + 127 * 256 - 1);
    assert.equal(codeOf(long), long);
    const most = `${long}\\${"m".repeat(longestPathUnits - long.length - 1)}`;
    assert.equal(codeOf(most), most);
    assert.equal(codeOf(`${most}x`), "nameTooLong");
  });

  it("are normal, whatever comes: taken once more they stay as they are", () => {
    const part = fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("..", ".", "", "nul", "COM1.x", "x:y", "a ", "b.", "C:", "?", "UNC"),
    );
    const separator = fc.constantFrom("\\", "/", "\\\\", "\\.\\");
    const start = fc.constantFrom("C:", "d:", "\\\\?\\C:", "\\\\.\\C:", "\\\\s\\h", "", "\\??\\C:", "//?/C:");
    const text = fc
      .tuple(start, fc.array(fc.tuple(separator, part), { maxLength: 6 }))
      .map(([begin, rest]) => begin + rest.flat().join(""));
    fc.assert(
      fc.property(text, (given) => {
        let normal: string;
        try {
          normal = absoluteWindowsPath(given);
        } catch (error) {
          assert.ok(error instanceof CodedError);
          return;
        }
        assert.equal(absoluteWindowsPath(normal), normal);
        assert.equal(absoluteWindowsPath(`\\\\?\\${normal}`), normal);
        assert.equal(path.win32.normalize(normal), normal); // what Node makes of it later is the same
        const [drive, ...names] = normal.split("\\");
        assert.match(drive ?? "", /^[A-Z]:$/);
        if (normal.length > 3) assert.ok(names.every((name) => problemOfName(name) === undefined));
      }),
      { numRuns: 3_000 },
    );
  });

  it("agree with a plain model for all short texts of the characters that matter", () => {
    const alphabet = ["C", ":", "\\", "/", ".", " ", "?", "x"];
    const model = (text: string): boolean => {
      const rest = /^(?:\\\\\?\\C:\\([^/]*)|C:[\\/](.*))$/s.exec(text);
      if (!rest) return false;
      const names = (rest[1] ?? rest[2] ?? "").split(/[\\/]/);
      return names.every(
        (name) =>
          name === "" || name === "." || (!/[:?]/.test(name) && !name.endsWith(".") && !name.endsWith(" ")),
      );
    };
    const all = (length: number): string[] =>
      length === 0 ? [""] : all(length - 1).flatMap((text) => alphabet.map((letter) => text + letter));
    const prefixes: readonly [string, number][] = [
      ["", 5],
      ["C:\\", 4],
      ["\\\\?\\", 5],
      ["\\\\?\\C:\\", 4],
    ];
    for (const [prefix, longest] of prefixes) {
      for (let length = 0; length <= longest; length++) {
        for (const text of all(length)) {
          const taken = codeOf(prefix + text).startsWith("C:\\");
          assert.equal(taken, model(prefix + text), JSON.stringify(prefix + text));
        }
      }
    }
  });
});

describe("what is within a folder on Windows", () => {
  it("is compared by whole names, without regard to case", () => {
    const within: readonly [string, string, boolean][] = [
      ["C:\\Data", "c:\\data", true],
      ["C:\\DATA\\x", "C:\\data", true],
      ["C:\\database", "C:\\data", false],
      ["C:\\x", "C:\\", true],
      ["D:\\x", "C:\\", false],
      ["C:\\Ärger\\x", "C:\\äRGER", true],
      ["C:\\data", "C:\\data\\x", false],
      // These are different files for NTFS.
      ["C:\\ı", "C:\\I", false],
      ["C:\\ſ", "C:\\S", false],
      ["C:\\ß", "C:\\SS", false],
    ];
    for (const [candidate, folder, wanted] of within)
      assert.equal(isWithinOnWindows(candidate, folder), wanted, `${candidate} in ${folder}`);
  });

  it("folds a text to one of the same length, once and for all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
        assert.equal(folded(text).length, text.length);
        assert.equal(folded(folded(text)), folded(text));
      }),
    );
  });
});
