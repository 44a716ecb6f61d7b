import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { addon } from "../../src/native/addon.ts";
import { entryNumber, entryNumbers } from "../../src/native/files.ts";

const folder = mkdtempSync(path.join(tmpdir(), "entries-"));
const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
after(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const look = (...names: string[]) => addon.readEntries(fd, Buffer.from(names.join("\0")));

test("entries are what lstat says, and links with their targets", async () => {
  writeFileSync(path.join(folder, "file"), "content", { mode: 0o640 });
  mkdirSync(path.join(folder, "folder"));
  symlinkSync("to/where ever", path.join(folder, "link"));
  execFileSync("mkfifo", [path.join(folder, "fifo")]);
  const names = ["file", "gone", "folder", "link", "fifo"];
  const { numbers, links } = await look(...names);
  assert.equal(links.toString(), "\0\0\0to/where ever\0\0");
  for (const [index, name] of names.entries()) {
    const at = (field: keyof typeof entryNumber): bigint | undefined =>
      numbers[index * entryNumbers + entryNumber[field]];
    assert.equal(at("isThere"), name === "gone" ? 0n : 1n);
    if (name === "gone") continue;
    const stats = lstatSync(path.join(folder, name), { bigint: true });
    for (const field of Object.keys(entryNumber) as (keyof typeof entryNumber)[]) {
      // To read a link is an access.
      if (field === "isThere" || (field === "atimeNs" && name === "link")) continue;
      assert.equal(at(field), stats[field], `${field} of ${name}`);
    }
  }
});

test("what cannot be looked at is named", async () => {
  const long = "n".repeat(300);
  await assert.rejects(look("file", long), { code: "ENAMETOOLONG", syscall: "statx", path: long });
});

test("wrong arguments are a TypeError", () => {
  assert.throws(() => look(), TypeError);
  assert.throws(() => look(...Array.from({ length: 1025 }, (_, i) => String(i))), TypeError);
});
