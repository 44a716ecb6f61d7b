import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import fc from "fast-check";
import { openPath, toLook } from "../../src/agent/files/system/win32-open.ts";
import { targetOf } from "../../src/agent/files/system/win32-symlink.ts";
import { addon } from "../../src/native/addon.ts";
import type { OpenWalk } from "../../src/native/files-win32.ts";
import { CodedError } from "../../src/wire/errors.ts";

interface Link {
  target: string;
  isRelative?: boolean;
}

const { openWalk } = addon;
const volume = "\\??\\Volume{01234567-89ab-cdef-0123-456789abcdef}\\";

/** A file system of which only the links matter: by their paths. Gives the roots and paths that were asked for. */
function withLinks(links: Readonly<Record<string, Link>>): string[] {
  const asked: string[] = [];
  const walk: OpenWalk = (from, path) => {
    assert.equal(typeof from, "string");
    asked.push(`${from}${path}`);
    const names = path.split("\\").filter((name) => name !== "");
    for (let index = 0; index < names.length; index++) {
      const link = links[`${from}${names.slice(0, index + 1).join("\\")}`];
      if (link) return Promise.resolve({ index, target: link.target, isRelative: link.isRelative === true });
    }
    return Promise.resolve(7);
  };
  addon.openWalk = walk;
  return asked;
}

async function outcome(path: string): Promise<string> {
  try {
    await openPath(path, toLook);
    return "opened";
  } catch (error) {
    return error instanceof CodedError ? error.code : ((error as NodeJS.ErrnoException).code ?? "");
  }
}

describe("links on the way to a file of Windows", () => {
  afterEach(() => {
    addon.openWalk = openWalk;
  });

  it("lead to where the drive or the volume has it", async () => {
    const asked = withLinks({
      "\\??\\C:\\junction": { target: "\\??\\C:\\a\\b" },
      "\\??\\C:\\a\\b\\up": { target: "..\\..\\c", isRelative: true },
      "\\??\\C:\\c\\root": { target: "\\x", isRelative: true },
      "\\??\\C:\\x\\mount": { target: volume },
      [`${volume}over`]: { target: "..\\..\\..\\top", isRelative: true },
    });
    assert.equal(await outcome("C:\\junction\\up\\root\\mount\\over\\f"), "opened");
    assert.deepEqual(asked, [
      "\\??\\C:\\junction\\up\\root\\mount\\over\\f",
      "\\??\\C:\\a\\b\\up\\root\\mount\\over\\f",
      "\\??\\C:\\c\\root\\mount\\over\\f",
      "\\??\\C:\\x\\mount\\over\\f",
      `${volume}over\\f`,
      `${volume}top\\f`, // above the root is the root
    ]);
  });

  it("lead nowhere else: to no share, device or stream, and nothing of it is asked for", async () => {
    for (const target of [
      ...["\\??\\UNC\\server\\share", "\\\\server\\share", "\\??\\GLOBALROOT\\Device\\Mup\\server\\share"],
      ...[
        "\\Device\\Mup\\server\\share",
        "\\??\\pipe\\x",
        "\\??\\C:",
        "\\??\\C:x",
        "\\??\\C:\\a:stream",
        "",
        "x",
      ],
      ...[
        "\\??\\C:\\a\\..\\b",
        "\\??\\C:\\nul",
        "\\??\\C:\\x.",
        "\\??\\Volume{x}\\",
        `${volume}a:b`,
        "\\??\\",
      ],
    ]) {
      const asked = withLinks({ "\\??\\C:\\link": { target } });
      assert.equal(await outcome("C:\\link\\f"), "pathTraversal", target);
      assert.deepEqual(asked, ["\\??\\C:\\link\\f"]);
    }
    for (const target of ["a:stream", "nul", "..\\a.", "x*"]) {
      withLinks({ "\\??\\C:\\link": { target, isRelative: true } });
      assert.equal(await outcome("C:\\link\\f"), "pathTraversal", target);
    }
  });

  it("do not go on for ever", async () => {
    const asked = withLinks({
      "\\??\\C:\\a": { target: "b", isRelative: true },
      "\\??\\C:\\b": { target: "\\??\\C:\\a" },
    });
    assert.equal(await outcome("C:\\a"), "ELOOP");
    assert.equal(asked.length, 41);
  });

  it("never lead out of drives and volumes, whatever they say", async () => {
    const part = fc.constantFrom(
      "..",
      ".",
      "",
      "x",
      "UNC",
      "C:",
      "??",
      "Volume{",
      "GLOBALROOT",
      "nul",
      "a:b",
      "/",
    );
    const target = fc.array(part, { maxLength: 6 }).map((parts) => parts.join("\\"));
    const link = fc.record({
      target: fc.oneof(
        target,
        target.map((text) => `\\??\\${text}`),
        target.map((text) => volume + text),
      ),
      isRelative: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(link, link, async (first, second) => {
        const asked = withLinks({ "\\??\\C:\\a": first, "\\??\\C:\\x": second });
        await outcome("C:\\a\\b");
        for (const path of asked) {
          assert.match(path, /^\\\?\?\\(?:[A-Z]:|Volume\{[0-9a-f-]{36}\})\\[^:/]*$/);
          assert.ok(!path.split("\\").includes(".."), path);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a link that is made on Windows", () => {
  it("says what Windows resolves", () => {
    assert.deepEqual(targetOf("../a/b"), { target: "..\\a\\b", print: "..\\a\\b", isRelative: true });
    assert.deepEqual(targetOf("c:/a"), { target: "\\??\\C:\\a", print: "C:\\a", isRelative: false });
    for (const text of ["\\\\server\\share", "\\\\.\\x", "\\a", "/a", "C:a", "a:b"])
      assert.throws(() => targetOf(text), { code: "pathTraversal" }, text);
    for (const text of ["x\\a:b", "nul", "a.", "C:\\nul"])
      assert.throws(() => targetOf(text), { code: "invalidMessage" }, text);
  });
});
