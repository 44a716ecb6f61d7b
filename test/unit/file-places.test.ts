import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Command } from "commander";
import { addCopyOptions } from "../../src/cli/commands/cp.ts";
import { type CopyPlan, copyPlanOf } from "../../src/cli/files/copy-plan.ts";
import { guestPlaceOf, lastName, placeOf, vmOf, within } from "../../src/cli/files/place.ts";

describe("where a command line says that a file is", () => {
  it("takes a colon before any slash for the end of a VM's name, as scp does", () => {
    assert.deepEqual(placeOf("web1:/etc/hosts"), { side: "guest", vm: "web1", path: "/etc/hosts" });
    assert.deepEqual(placeOf(":/etc"), { side: "guest", vm: undefined, path: "/etc" });
    assert.deepEqual(placeOf("web1:/a:b/"), { side: "guest", vm: "web1", path: "/a:b/" });
    for (const path of ["./a:b", "/a:b", "a/b:c", "a", "..", "-x"]) {
      assert.deepEqual(placeOf(path), { side: "local", path }, path);
    }
    assert.deepEqual(placeOf("-"), { side: "standard-stream" });
    assert.deepEqual(placeOf("./-"), { side: "local", path: "./-" });
  });

  it("takes only absolute paths in a guest", () => {
    for (const text of ["web1:etc", "web1:", ":", "a:b", "web1:c:", "web1:c:x", "web1:\\x", ""]) {
      assert.throws(() => placeOf(text), { name: "UsageError" }, text);
    }
    assert.throws(() => placeOf("a:b"), /a:b.*slash.*\.\/a:b/);
  });

  it("takes a plain path for one in the usual VM where only guests make sense", () => {
    assert.deepEqual(guestPlaceOf("/etc:x"), { side: "guest", vm: undefined, path: "/etc:x" });
    assert.deepEqual(guestPlaceOf("web1:/etc"), { side: "guest", vm: "web1", path: "/etc" });
    for (const text of ["etc", "./etc", "-"]) assert.throws(() => guestPlaceOf(text), /NAME:\/path/, text);
  });

  it("takes a path with a drive for one in a Windows guest", () => {
    assert.deepEqual(placeOf("win1:C:\\a b"), { side: "guest", vm: "win1", path: "C:\\a b" });
    assert.deepEqual(placeOf("win1:c:/x/"), { side: "guest", vm: "win1", path: "c:/x/" });
    assert.deepEqual(placeOf(":C:/x"), { side: "guest", vm: undefined, path: "C:/x" });
    assert.deepEqual(placeOf("C:\\x"), { side: "guest", vm: undefined, path: "C:\\x" });
    assert.deepEqual(guestPlaceOf("C:\\x"), { side: "guest", vm: undefined, path: "C:\\x" });
    assert.deepEqual(placeOf("C:/x"), { side: "guest", vm: "C", path: "/x" });
    assert.deepEqual(placeOf("./C:\\x"), { side: "local", path: "./C:\\x" });
    assert.equal(lastName("C:\\a\\b c\\"), "b c");
    assert.equal(lastName("C:/a/b"), "b");
    assert.equal(lastName("C:\\"), "");
    assert.equal(lastName("a\\b"), "a\\b"); // a name of this host
    assert.equal(within("C:\\", "a"), "C:\\a");
    assert.equal(within("C:\\x", "a"), "C:\\x\\a");
    assert.equal(within("C:/x", "a"), "C:/x/a");
    assert.equal(within("/a\\b", "a"), "/a\\b/a");
  });

  it("knows one VM at a time", () => {
    const of = (...texts: string[]): string | undefined => vmOf(texts.map(guestPlaceOf));
    assert.equal(of("/a", "/b"), undefined);
    assert.equal(of("/a", "web1:/b", "web1:/c"), "web1");
    assert.throws(() => of("web1:/a", "db:/b"), /web1 and db: one VM/);
  });

  it("puts a source into a folder under its last name, and what has none of its own in the folder's place", () => {
    const cases: [string, string][] = [
      ["/etc/hosts", "hosts"],
      ["a", "a"],
      ["dir/", "dir"],
      ["/a/b//", "b"],
      ["/", ""],
      [".", ""],
      ["a/..", ""],
      ["...", "..."],
    ];
    for (const [path, name] of cases) assert.equal(lastName(path), name, path);
    assert.equal(within("/srv", "a"), "/srv/a");
    assert.equal(within("/srv/", "a"), "/srv/a");
    assert.equal(within("/srv", ""), "/srv");
  });
});

/** What `cp` makes of these words. Throws as it would. */
function plan(...words: string[]): CopyPlan {
  const program = new Command().exitOverride().configureOutput({ outputError: () => undefined });
  const command = program.command("cp <path...>").action(() => undefined);
  addCopyOptions(command);
  command.option("--json");
  program.parse(["cp", ...words], { from: "user" });
  return copyPlanOf(command.opts(), command.args);
}

describe("the command line of cp", () => {
  it("goes by the side of the target", () => {
    assert.deepEqual(plan("a", "web1:/b"), { vm: "web1", direction: "upload", sources: ["a"], target: "/b" });
    assert.deepEqual(plan("web1:/a", ":/b", "c/"), {
      vm: "web1",
      direction: "download",
      sources: ["/a", "/b"],
      target: "c/",
    });
    assert.deepEqual(plan(":/a", "web1:/b"), {
      vm: "web1",
      direction: "within",
      sources: ["/a"],
      target: "/b",
    });
  });

  it("takes standard input and output", () => {
    assert.deepEqual(plan("-", ":/b"), {
      vm: undefined,
      direction: "upload",
      sources: [undefined],
      target: "/b",
    });
    assert.deepEqual(plan(":/a", ":/b", "-"), {
      vm: undefined,
      direction: "download",
      sources: ["/a", "/b"],
      target: undefined,
    });
  });

  it("refuses what makes no sense", () => {
    const cases: [words: string[], message: RegExp][] = [
      [["a"], /a source and a target/],
      [["a", "b"], /neither side is in a guest/],
      [["a", ":/b", ":/c"], /both sides/],
      [["a", ":/b", "c"], /neither side/],
      [["web1:/a", "db:/b"], /one VM at a time/],
      [["-", "a", ":/b"], /alone/],
      [["-", ":/b/"], /no name/],
      [["-r", "-", ":/b"], /standard input and --recursive/],
      [["--resume", "-", ":/b"], /standard input and --resume/],
      [["--checksum", ":/a", "-"], /standard output and --checksum/],
      [["--json", ":/a", "-"], /--json/],
      [["--resume", ":/a", ":/b"], /within the guest and --resume/],
      [["-r", "--checksum", ":/a", "b"], /--recursive and --checksum/],
    ];
    for (const [words, message] of cases) {
      assert.throws(
        () => plan(...words),
        (error: Error) => error.name === "UsageError" && message.test(error.message),
        words.join(" "),
      );
    }
  });
});
