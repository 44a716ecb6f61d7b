// What a daemon that runs for years relies on: nothing is left behind, nothing hangs, nothing crashes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { Sampler } from "../../src/native/sampler.ts";
import { samplerThreads } from "../support/sampler-threads.ts";
import { until } from "../support/until.ts";

const addonFile = path.resolve("build/Release/limiquantix.node");
const preamble = `const { Sampler } = require(${JSON.stringify(addonFile)});`;
const run = promisify(execFile);

/** Runs a program that has `Sampler`, in a process of its own. */
const program = (source: string, ...flags: string[]) =>
  run(process.execPath, [...flags, "-e", preamble + source], { timeout: 20_000 });

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;

describe("sampler's life", () => {
  it("leaves neither descriptors nor threads behind", async () => {
    const before = openDescriptors();
    for (let i = 0; i < 1000; i++) {
      const sampler = new Sampler();
      sampler.watch(() => undefined);
      await sampler.sample();
      sampler.close();
      sampler.close();
    }
    await until("all descriptors to be closed", () => openDescriptors() <= before);
    await until("all threads to end", () => samplerThreads() === 0);
  });

  it("gives two who ask at once the same sample", async () => {
    const sampler = new Sampler();
    const first = sampler.sample();
    assert.equal(sampler.sample(), first);
    await first;
    const second = sampler.sample();
    assert.notEqual(second, first);
    await second;
    sampler.close();
  });

  it("rejects a sample cut short, and all that is asked once closed", async () => {
    const sampler = new Sampler();
    const sample = sampler.sample();
    sampler.close();
    await assert.rejects(sample, { code: "ECANCELED", syscall: "sample" });
    await assert.rejects(sampler.sample(), { code: "EBADF", syscall: "sample" });
    assert.throws(
      () => {
        sampler.watch(() => undefined);
      },
      { code: "EBADF", syscall: "watch" },
    );
    sampler.unwatch();
  });

  it("says what it was given wrong", async () => {
    const sampler = new Sampler();
    for (const deadline of [0, -1, 60_001, NaN]) await assert.rejects(sampler.sample(deadline), RangeError);
    sampler.close();
    assert.throws(() => new Sampler({ includeFilesystems: "nfs" as unknown as string[] }), TypeError);
  });

  it("survives being closed in the middle of a sample, many times", async () => {
    for (let i = 0; i < 300; i++) {
      const sampler = new Sampler();
      const sample = sampler.sample();
      if (i % 3 === 1) await new Promise(setImmediate);
      sampler.close();
      await sample.catch(() => undefined);
    }
    await until("all threads to end", () => samplerThreads() === 0);
  });

  it("is closed when it is garbage", async () => {
    const { stdout } = await program(
      `
      const fds = () => require("fs").readdirSync("/proc/self/fd").length;
      const before = fds();
      (async () => {
        for (let i = 0; i < 50; i++) { await new Sampler({}).sample(1000); }
        for (let i = 0; i < 500 && fds() > before + 10; i++) { gc(); await new Promise((r) => setTimeout(r, 10)); }
        console.log(fds() <= before + 10 ? "collected" : "leaked " + (fds() - before));
      })();`,
      "--expose-gc",
    );
    assert.equal(stdout.trim(), "collected");
  });

  it("lets the process end, watched or not, and waits for the sample under way", async () => {
    const { stdout } = await program(`
      const sampler = new Sampler({});
      sampler.watch(() => {});
      sampler.sample(1000).then((sample) => console.log(sample.memory.totalBytes > 0));
    `);
    assert.equal(stdout.trim(), "true");
  });

  it("lets the process exit in the middle of a sample", async () => {
    for (let i = 0; i < 5; i++) {
      const { stdout } = await program(`new Sampler({}).sample(1000); console.log("exit"); process.exit(0);`);
      assert.equal(stdout.trim(), "exit");
    }
  });

  it("works in worker threads, which may be terminated in the middle of a sample", async () => {
    const before = openDescriptors();
    for (let i = 0; i < 20; i++) {
      const worker = new Worker(
        `${preamble}
         const { parentPort } = require("worker_threads");
         const sampler = new Sampler({});
         sampler.watch(() => {});
         (async () => { for (;;) parentPort.postMessage((await sampler.sample(1000)).processCount); })();`,
        { eval: true },
      );
      const [processCount] = (await once(worker, "message")) as [number];
      assert.ok(processCount > 0);
      await worker.terminate();
    }
    await until("the workers' descriptors to be closed", () => openDescriptors() <= before + 2);
    await until("the workers' threads to end", () => samplerThreads() === 0);
  });
});
