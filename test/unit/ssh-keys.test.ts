import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { parseKeyLine } from "../../src/agent/ssh-keys/key-line.ts";
import { KeyList, KeySet, requestedKeys } from "../../src/agent/ssh-keys/key-list.ts";
import { CodedError } from "../../src/wire/errors.ts";
import { ed25519Key } from "../support/ssh-key.ts";
import { needsTool } from "../support/tools.ts";

const parse = (line: string) => parseKeyLine(Buffer.from(line));
const list = (...lines: string[]) => KeyList.parse(Buffer.from(lines.map((line) => `${line}\n`).join("")));
const text = (keys: KeyList) => keys.toBuffer().toString();

describe("a line of authorized_keys", () => {
  const key = ed25519Key(1);

  it("is options, type, key and comment, as sshd reads them", () => {
    const plain = parse(key);
    assert.equal(plain?.type, "ssh-ed25519");
    assert.deepEqual([plain.options, plain.comment], ["", ""]);
    const options = 'command="echo \\"a b\\" #",no-pty,from="10.0.0.0/8, *.example.org"';
    const full = parse(` \t${options}\t${key}  Alice's key, of 2026 \r`);
    assert.deepEqual([full?.options, full?.comment], [options, "Alice's key, of 2026"]);
    assert.equal(full?.fingerprint, plain.fingerprint);
    assert.equal(parse(`restrict ${key} é`)?.comment, "é");
  });

  it("is none without a whole key of its type", () => {
    const [type = "", blob = ""] = key.split(" ");
    const wrong = [
      "",
      "#",
      ` # ${key}`,
      type,
      `${type} `,
      `${type} ${blob.slice(0, -4)}`,
      `${type} ${blob}=`,
      `${type} ${blob}AAAA`,
      `ssh-rsa ${blob}`,
      blob,
      `command="echo ${key}`,
      `${type} AAAA`,
      `a b ${key}`,
      `ssh-ed25519 ${Buffer.from("\0\0\0\x0bssh-ed25519\xff\xff\xff\xff").toString("base64")}`,
    ];
    for (const line of wrong) assert.equal(parse(line), undefined, line);
  });

  it("survives being read, whatever it is", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 20 }), (lines) => {
        const content = Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]));
        assert.deepEqual(KeyList.parse(content).toBuffer(), content);
      }),
    );
  });

  it("is taken apart and put together the same way", () => {
    const quoted = fc
      .string({ unit: fc.constantFrom(...Array.from("ab, #='\\é")), maxLength: 20 })
      .map((value) => `command="${value.replaceAll("\\", "/")}"`);
    const comment = fc.string({ unit: fc.constantFrom(...Array.from("ab#\"'é,")), maxLength: 20 });
    fc.assert(
      fc.property(
        fc.option(quoted, { nil: "" }),
        fc.integer({ min: 0, max: 1e6 }),
        comment,
        (options, number, words) => {
          const made = ed25519Key(number);
          const found = parse([options, made, words].filter(Boolean).join(" "));
          assert.ok(found);
          assert.deepEqual(
            [found.options, `${found.type} ${found.key}`, found.comment],
            [options, made, words],
          );
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("a list of keys", () => {
  const [first, second, third] = [ed25519Key(1), ed25519Key(2), ed25519Key(3)];
  const before = ["# by hand", "", `no-pty ${first} a`, "something else", second, `${first} again`];

  it("tells what sshd may take for a key, understood or not", () => {
    assert.deepEqual(
      list(...before).keys.map(({ line, type, comment }) => [line, type, comment]),
      [
        [`no-pty ${first} a`, "ssh-ed25519", "a"],
        ["something else", undefined, undefined],
        [second, "ssh-ed25519", ""],
        [`${first} again`, "ssh-ed25519", "again"],
      ],
    );
  });

  it("gets each key once, and leaves what is there", () => {
    const keys = list(...before);
    assert.equal(keys.add(requestedKeys([`${second} other comment`, `${third} c`, third])), 1);
    assert.equal(text(keys), `${[...before, `${third} c`].join("\n")}\n`);
    assert.equal(keys.add(requestedKeys([third])), 0);
    const cut = KeyList.parse(Buffer.from(first)); // without a line's end
    cut.add(requestedKeys([second]));
    assert.equal(text(cut), `${first}\n${second}\n`);
  });

  it("can be replaced", () => {
    const keys = list(...before);
    assert.equal(keys.replace(requestedKeys([second, third])), 1);
    assert.equal(text(keys), `${second}\n${third}\n`);
  });

  it("loses all lines with a key, by line or fingerprint", () => {
    const keys = list(...before);
    assert.equal(keys.remove(new KeySet([`${first} whatever`])), 2);
    assert.equal(keys.remove(new KeySet([parse(second)?.fingerprint ?? "", third])), 1);
    assert.equal(text(keys), "# by hand\n\nsomething else\n");
  });

  it("takes nothing that is no key, or more than one line", () => {
    const wrong: [string, RegExp][] = [
      ["", /key 2 is no whole line/],
      ["ssh-ed25519", /no whole line/],
      [`${first}\n${second}`, /line breaks/],
      [`${first}\rx`, /line breaks/],
      [`command="a\0" ${first}`, /control characters/],
      ["-----BEGIN OPENSSH PRIVATE KEY-----", /PRIVATE key/],
      [`${first} ${"a".repeat(16_384)}`, /longer than 16384/],
      [`# ${first}`, /no whole line/],
      [`ssh-dss ${dss()}`, /DSA/],
    ];
    for (const [line, why] of wrong) {
      assert.throws(
        () => requestedKeys([third, line]),
        (error: unknown) =>
          error instanceof CodedError && error.code === "invalidMessage" && why.test(error.message),
        line,
      );
    }
    assert.throws(() => requestedKeys([]), /no keys/);
    assert.throws(() => new KeySet(["MD5:aa"]), /no fingerprint/);
  });

  it("has an end", () => {
    const many = Array.from({ length: 1000 }, (_, i) => ed25519Key(i));
    const keys = list(...many);
    assert.equal(keys.add(requestedKeys(many)), 0);
    assert.throws(() => keys.add(requestedKeys([ed25519Key(2000)])), { code: "fileTooLarge" });
    assert.throws(() => list(...many, "x"), { code: "fileTooLarge" });
    assert.throws(() => requestedKeys([...many, first]), { code: "invalidMessage" });
  });
});

describe("a fingerprint", needsTool("ssh-keygen", "openssh-client"), () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "keys-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("is that of ssh-keygen, for each type of key", () => {
    const kinds = [
      ["ed25519"],
      ["rsa", "-b", "2048"],
      ["ecdsa", "-b", "256"],
      ["ecdsa", "-b", "384"],
      ["ecdsa", "-b", "521"],
    ];
    for (const [index, kind] of kinds.entries()) {
      const file = path.join(folder, String(index));
      execFileSync("ssh-keygen", ["-q", "-t", ...kind, "-N", "", "-C", `the ${kind.join(" ")}`, "-f", file]);
      const line = readFileSync(`${file}.pub`, "utf8").trim();
      const options = 'command="true",no-pty';
      writeFileSync(file, `${options} ${line}\n`);
      const found = parse(`${options} ${line}`);
      const [, fingerprint, ...comment] = execFileSync("ssh-keygen", ["-lf", file], { encoding: "utf8" })
        .trim()
        .replace(/ \(\w+\)$/, "")
        .split(" ");
      assert.deepEqual([found?.fingerprint, found?.comment], [fingerprint, comment.join(" ")]);
    }
  });
});

/** As DSA keys were: four numbers. */
function dss(): string {
  const part = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const numbers = [128, 20, 128, 128].map((bytes) => part(Buffer.alloc(bytes, 1)));
  return Buffer.concat([part(Buffer.from("ssh-dss")), ...numbers]).toString("base64");
}
