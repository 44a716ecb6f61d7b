import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { FileHost } from "../support/file-host.ts";

/** Puts a link to inside, a link to outside, and a folder at one path, as fast as it can. */
const swapper = `
const { workerData } = require("node:worker_threads");
const fs = require("node:fs");
const { at, inside, outside } = workerData;
for (let i = 0; ; i++) {
  try {
    fs.rmSync(at, { recursive: true, force: true });
    if (i % 3 === 2) fs.mkdirSync(at);
    else fs.symlinkSync(i % 3 === 0 ? inside : outside, at);
  } catch {
    // the daemon was faster
  }
}`;

describe("links that change while files are written", () => {
  it("never lead anything outside of what may be written", async () => {
    await using host = await FileHost.start("security: {allow_file_write_paths: [FOLDER/ok]}\n");
    for (const name of ["ok", "ok/inside", "outside"]) mkdirSync(host.at(name));
    writeFileSync(host.at("outside", "file"), "untouched");
    writeFileSync(host.at("ok", "source"), "source");
    symlinkSync("inside", host.at("ok", "x"));
    const modeBefore = statSync(host.at("outside", "file")).mode;
    const data = { at: host.at("ok", "x"), inside: host.at("ok", "inside"), outside: host.at("outside") };
    const worker = new Worker(swapper, { eval: true, workerData: data });
    const answers = { done: 0, refused: 0 };
    try {
      const end = performance.now() + 4_000;
      for (let i = 0; performance.now() < end; i++) {
        const file = host.at("ok", "x", "file");
        const all = await Promise.all([
          host.ask("fileWrite", {
            path: file,
            data: Buffer.from("written"),
            createParents: true,
            mode: 0o777,
          }),
          host.ask("fileWrite", {
            path: host.at("ok", "x", `new-${i % 10}`),
            data: Buffer.from("x"),
            append: true,
          }),
          host.ask("createDirectory", { path: host.at("ok", "x", "d", "e"), createParents: true }),
          host.ask("createSymlink", { path: host.at("ok", "x", "link"), target: "y", replace: true }),
          host.ask("fileCopy", { from: host.at("ok", "source"), to: file }),
          host.ask("fileRename", { from: file, to: host.at("ok", "x", "renamed") }),
          host.ask("fileSetAttributes", { path: file, mode: 0o777 }),
          host.ask("fileDelete", { path: host.at("ok", "x", "d"), recursive: true }),
          host.ask("fileDelete", { path: file }),
        ]);
        for (const { success } of all) answers[success ? "done" : "refused"]++;
      }
    } finally {
      await worker.terminate();
    }
    assert.deepEqual(readdirSync(host.at("outside")), ["file"]);
    assert.equal(readFileSync(host.at("outside", "file"), "utf8"), "untouched");
    assert.equal(statSync(host.at("outside", "file")).mode, modeBefore);
    assert.ok(answers.done > 10 && answers.refused > 10, JSON.stringify(answers));
  });
});
