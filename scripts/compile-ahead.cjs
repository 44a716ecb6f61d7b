// compile-ahead.cjs PROGRAM OUTPUT FOLDER: runs the agent, as if it were in FOLDER, against a socket of our own and keeps
// what V8 has compiled.
"use strict";
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { createServer } = require("node:net");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { Script } = require("node:vm");

const [, , program, output, folder] = process.argv;
const file = path.join(folder, path.basename(program));
const scratch = mkdtempSync(path.join(tmpdir(), "compile-ahead-"));
const socket = path.join(scratch, "agent.sock");

// A string of its own: a part of the whole path would bring that along into what is kept.
const name = Buffer.from(path.basename(program)).toString();
const script = new Script(readFileSync(program, "latin1"), { filename: name });
const module_ = new Module(file);
module_.filename = file;
module_.paths = Module._nodeModulePaths(folder);

function finish(code) {
  rmSync(scratch, { recursive: true, force: true });
  process.exit(code);
}

setTimeout(() => {
  console.error("the agent has not greeted its host within 20 s");
  finish(1);
}, 20_000);

createServer((host) => {
  let bytes = Buffer.alloc(0);
  let frames = 0;
  host.on("data", (data) => {
    bytes = Buffer.concat([bytes, data]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()) {
      bytes = bytes.subarray(4 + bytes.readUInt32BE());
      frames++;
    }
    if (frames < 2) return; // agent_ready and telemetry
    writeFileSync(output, script.createCachedData());
    finish(0);
  });
}).listen(socket, () => {
  process.argv = [process.argv[0], program, "--port", `unix:${socket}`, "--log-level", "error"];
  const run = script.runInThisContext();
  run(module_.exports, module_.require.bind(module_), module_, file, folder);
});
