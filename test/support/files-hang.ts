// A scenario of files-isolated.test.ts: file systems that do not answer.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { briefPlaces } from "../../src/agent/files/places.ts";
import { FileHost } from "./file-host.ts";
import { HangingMount } from "./hanging-mount.ts";
import { until } from "./until.ts";

const silentMs = 20_000;

const host = await FileHost.start();
const mount = new HangingMount();
writeFileSync(host.at("file"), "here");
const started = performance.now();
const hang = (i: number) =>
  host.ask(
    i % 2 === 0 ? "fileStat" : "listDirectory",
    { path: `${mount.mountPoint}/x` },
    { messageId: `hung-${i}`, deadlineMs: silentMs + 10_000 },
  );

// With a place left all goes on as ever.
const few = Array.from({ length: briefPlaces - 1 }, (_, i) => hang(i));
assert.equal(String(await host.read(host.at("file"))), "here");
await host.write(host.at("other"), Buffer.alloc(300_000));

// With none left other operations do, and so does whoever need not wait for a place.
const many = Array.from({ length: 30 }, (_, i) => hang(few.length + i));
for (let i = 0; i < 20; i++) {
  const asked = performance.now();
  await host.host.ask({ ping: { sequence: i } });
  assert.ok(performance.now() - asked < 1_000);
}
const { executeResponse } = await host.host.ask({ execute: { command: "echo fine", waitForExit: true } });
assert.equal(executeResponse?.stdout, "fine\n");
await host.do("fileCopy", { from: host.at("file"), to: host.at("copy") });
const cancelled = hang(1000);
await host.do("cancel", { messageId: "hung-1000" });
assert.match((await cancelled).error, /^QXGA-2009 /);

for (const { error } of await Promise.all([...few, ...many])) assert.match(error, /^QXGA-4022 cannot /);
const seconds = (performance.now() - started) / 1000;
assert.ok(seconds >= silentMs / 1000 && seconds < silentMs / 1000 + 8, `${seconds} s`);

// Gone for good, it gives back what it held up.
mount.abort();
await until(
  "files to work again",
  async () => (await host.ask("fileStat", { path: host.at("file") })).success,
);

// An agent that is held up still stops within a second.
const second = new HangingMount();
for (let i = 0; i < 40; i++)
  host.host.send({ messageId: `last-${i}`, fileStat: { path: `${second.mountPoint}/x` } });
await host.host.ask({ ping: {} });
const { code, ms } = await host.daemon.stop();
assert.equal(code, 0);
assert.ok(ms < 1_000, `${ms} ms`);
second.abort();
await host[Symbol.asyncDispose]();
process.stdout.write("done\n");
process.exit(0);
