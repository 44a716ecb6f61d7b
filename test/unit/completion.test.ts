import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bashReplacement, readBashLine } from "../../src/cli/completion/bash-line.ts";
import { type Sources, complete } from "../../src/cli/completion/candidates.ts";
import { Interruptions } from "../../src/cli/interruption.ts";
import { makeProgram } from "../../src/cli/program.ts";

const program = makeProgram({
  interruptions: new Interruptions(),
  begin: () => undefined,
  exit: () => undefined,
});
const asked: unknown[] = [];

/** What the last word can become; names stand for what a host and a guest have. */
async function candidates(words: readonly string[], hasTarget = false): Promise<string[]> {
  asked.length = 0;
  const sources = (options: object): Sources => {
    asked.push(options);
    return {
      hasTarget,
      vms: () => Promise.resolve(["web1", "web2", "db"]),
      guestPaths: (path, vm) => {
        asked.push([path, vm]);
        return Promise.resolve([`${path}-1`, `${path}-2/`]);
      },
    };
  };
  const { candidates: found, localFiles } = await complete(program, words, sources);
  return [...found.map(({ value }) => value), ...(localFiles ? ["FILES"] : [])];
}

describe("what a word of the command line can become", () => {
  it("is a command, or an option of it", async () => {
    assert.deepEqual(await candidates(["te"]), ["telemetry"]);
    assert.ok((await candidates([""])).includes("help"));
    assert.ok(!(await candidates([""])).some((name) => name.startsWith("_")));
    assert.deepEqual(await candidates(["help", "vm"]), ["vms"]);
    assert.deepEqual(await candidates(["--vm", "web1", "cp", "--re"]), ["--recursive", "--resume"]);
    assert.deepEqual(await candidates(["no-such", "--"]), []);
    assert.deepEqual(await candidates(["completion", ""]), ["bash", "zsh", "fish"]);
    assert.deepEqual(await candidates(["completion", "zsh", ""]), []);
  });

  it("is the value of an option", async () => {
    assert.deepEqual(await candidates(["ls", "--vm", "we"]), ["web1", "web2"]);
    assert.deepEqual(await candidates(["ls", "--vm=we"]), ["--vm=web1", "--vm=web2"]);
    assert.deepEqual(await candidates(["--vm", ""]), ["web1", "web2", "db"]);
    assert.deepEqual(await candidates(["ls", "--socket", "x"]), ["FILES"]);
    assert.deepEqual(await candidates(["mkdir", "-m", ""]), []);
    assert.deepEqual(await candidates(["mkdir", "-pm", ""]), []);
    assert.deepEqual(await candidates(["mkdir", "-m7", "web1"]), ["web1:/"]);
  });

  it("is a place in a guest", async () => {
    assert.deepEqual(await candidates(["ls", "d"]), ["db:/"]);
    assert.deepEqual(await candidates(["ls", "db:"]), ["db:/"]);
    assert.deepEqual(await candidates(["ls", "db:/e"]), ["db:/e-1", "db:/e-2/"]);
    assert.deepEqual(asked[1], ["/e", "db"]);
    assert.deepEqual(await candidates(["ls", "db:x"]), []);
    assert.deepEqual(await candidates(["ls", "db:C:"]), ["db:C:/"]);
    assert.deepEqual(await candidates(["ls", "db:C:/U"]), ["db:C:/U-1", "db:C:/U-2/"]);
    assert.deepEqual(await candidates(["ls", "x/"]), []);
    assert.deepEqual(await candidates(["ls", "/e"]), []);
    assert.deepEqual(await candidates(["ls", "--vm=db", "/e"], true), ["/e-1", "/e-2/"]);
    assert.deepEqual(asked[1], ["/e", undefined]);
    assert.equal((asked[0] as { vm?: string }).vm, "db");
  });

  it("is a file of this host too, for cp", async () => {
    assert.deepEqual(await candidates(["cp", "w"]), ["web1:/", "web2:/", "FILES"]);
    assert.deepEqual(await candidates(["cp", ""], true), [":/", "web1:/", "web2:/", "db:/", "FILES"]);
    assert.deepEqual(await candidates(["cp", "a", "./b:c"]), ["FILES"]);
    assert.deepEqual(await candidates(["cp", "a", ":/b"], true), [":/b-1", ":/b-2/"]);
    assert.deepEqual(await candidates(["cp", "--", "--re"]), ["FILES"]);
  });

  it("is left to the guest behind exec", async () => {
    assert.deepEqual(await candidates(["exec", "ls", "x"]), []);
    assert.deepEqual(await candidates(["exec", "--ke"]), ["--keep"]);
  });
});

describe("a command line of bash", () => {
  const breaks = " \t\n\"'><=;|&(:";
  const read = (line: string): ReturnType<typeof readBashLine> => readBashLine(line, breaks);

  it("is read as bash does, colons included", () => {
    assert.deepEqual(read("ctl ls "), { words: ["ctl", "ls", ""], settled: "", quote: "" });
    assert.deepEqual(read("ctl  ls web1:/e"), {
      words: ["ctl", "ls", "web1:/e"],
      settled: "web1:",
      quote: "",
    });
    assert.deepEqual(read("ctl --vm=we"), { words: ["ctl", "--vm=we"], settled: "--vm=", quote: "" });
    assert.deepEqual(read("c web1:/a\\ b"), { words: ["c", "web1:/a b"], settled: "web1:", quote: "" });
    assert.deepEqual(read('c "web1:/a b'), { words: ["c", "web1:/a b"], settled: "", quote: '"' });
    assert.deepEqual(read("c 'a \"\\b' 'c"), { words: ["c", 'a "\\b', "c"], settled: "", quote: "'" });
    assert.deepEqual(read('c "a\\"b\\c" x'), { words: ["c", 'a"b\\c', "x"], settled: "", quote: "" });
    assert.deepEqual(read('c ""'), { words: ["c", ""], settled: "", quote: "" });
    assert.deepEqual(readBashLine("c web1:/e", " \n").settled, "");
  });

  it("gets what makes the word the candidate", () => {
    const cases: [line: string, value: string, replacement: string][] = [
      ["c web1:/e", "web1:/etc/", "/etc/"],
      ["c web1:/a", "web1:/a b$(x)'y", "/a\\ b\\$\\(x\\)\\'y"],
      ["c web1:/a:", "web1:/a:b c", "b\\ c"],
      ["c web1:/", "web1:/größe", "/größe"],
      ['c "web1:/a', 'web1:/a b$x"y', 'web1:/a b\\$x\\"y'],
      ["c 'web1:/a", "web1:/a 'b", "web1:/a '\\''b"],
      ["c x", "x~", "x\\~"],
    ];
    for (const [line, value, replacement] of cases) {
      assert.equal(bashReplacement(read(line), value), replacement, line);
    }
  });
});
