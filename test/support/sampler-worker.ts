// A scenario for isolated.ts: a worker, alone in having loaded the addon, is terminated while a mount hangs; the call
// comes back when the worker, its event loop and perhaps the library are gone.
import assert from "node:assert/strict";
import { once } from "node:events";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { HangingMount, hangingType } from "./hanging-mount.ts";
import { samplerThreads } from "./sampler-threads.ts";
import { until } from "./until.ts";

const addonFile = path.resolve("build/Release/limiquantix.node");

const mount = new HangingMount();
const worker = new Worker(
  `const { parentPort } = require("worker_threads");
   const { Sampler } = require(${JSON.stringify(addonFile)});
   const sampler = new Sampler({ includeFilesystems: [${JSON.stringify(hangingType)}] });
   (async () => {
     await sampler.sample(50);
     sampler.sample(60000);
     parentPort.postMessage("stuck");
   })();`,
  { eval: true },
);
await once(worker, "message");
const started = performance.now();
await worker.terminate();
assert.ok(performance.now() - started < 1000);
assert.equal(samplerThreads(), 1);
mount.abort();
await until("the stuck thread to end", () => samplerThreads() === 0);
console.log("done");
