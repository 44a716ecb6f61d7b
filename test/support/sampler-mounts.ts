// A scenario for isolated.ts: mounts that hang, come back, or are of no interest.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Sampler } from "../../src/native/sampler.ts";
import { HangingMount, hangingType } from "./hanging-mount.ts";
import { samplerThreads } from "./sampler-threads.ts";
import { until } from "./until.ts";

const deadlineMs = 400;
const sampler = new Sampler({ includeFilesystems: [hangingType] });

async function timed() {
  const started = performance.now();
  const sample = await sampler.sample(deadlineMs);
  return {
    sample,
    usage: new Map(sample.filesystems.map((usage) => [usage.mountPoint, usage])),
    unreachable: new Map(sample.unreachableMounts.map((mount) => [mount.mountPoint, mount])),
    ms: performance.now() - started,
  };
}

const before = await timed();
assert.ok(before.usage.has("/"));
assert.equal(before.unreachable.size, 0);

// What must not appear: pseudo file systems, a folder of the root bound elsewhere.
const folder = mkdtempSync(path.join(tmpdir(), "mounts-"));
for (const name of ["tmpfs", "source", "bound", "spa ce"]) mkdirSync(path.join(folder, name));
execFileSync("mount", ["-t", "tmpfs", "none", path.join(folder, "tmpfs")]);
execFileSync("mount", ["--bind", path.join(folder, "source"), path.join(folder, "bound")]);
assert.deepEqual([...(await timed()).usage.keys()], [...before.usage.keys()]);

// A type that was asked for appears at the next sample, its name unescaped, and goes when it is unmounted.
const including = new Sampler({ includeFilesystems: ["tmpfs"] });
const spaced = path.join(folder, "spa ce");
const has = async (): Promise<boolean> =>
  (await including.sample()).filesystems.some(({ mountPoint }) => mountPoint === spaced);
assert.equal(await has(), false);
execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "none", spaced]);
assert.equal(await has(), true);
// Covered by a mount on the folder above, its path leads elsewhere.
execFileSync("mount", ["-t", "tmpfs", "none", folder]);
assert.equal(await has(), false);
execFileSync("umount", [folder]);
assert.equal(await has(), true);
execFileSync("umount", [spaced]);
assert.equal(await has(), false);
including.close();

// One that hangs costs one deadline, once; the rest is told in time.
const mount = new HangingMount();
const first = await timed();
assert.ok(first.ms >= deadlineMs - 1 && first.ms < 2 * deadlineMs, `took ${first.ms} ms`);
const dead = first.unreachable.get(mount.mountPoint);
assert.ok(dead !== undefined);
assert.equal(dead.filesystem, hangingType);
assert.equal(dead.device, "away");
assert.equal(dead.error, undefined);
assert.ok(dead.unresponsiveSeconds > (deadlineMs / 1000) * 0.9);
assert.ok(first.usage.has("/") && !first.usage.has(mount.mountPoint));
assert.ok(first.sample.interfaces !== undefined && first.sample.cpu !== undefined);
for (let i = 0; i < 20; i++) {
  const next = await timed();
  assert.ok(next.ms < deadlineMs / 2, `took ${next.ms} ms`);
  assert.ok(next.usage.has("/"));
  const seconds = next.unreachable.get(mount.mountPoint)?.unresponsiveSeconds ?? 0;
  assert.ok(seconds > dead.unresponsiveSeconds);
}
assert.ok(samplerThreads() <= 2);

// When it answers, it is told again, and its thread has ended.
const blocks = 4096;
const answering = setInterval(() => {
  mount.answer(blocks);
}, 1);
const recovered = await until("the mount to be told again", async () => {
  const { usage, unreachable } = await timed();
  return unreachable.size === 0 && usage.get(mount.mountPoint);
});
clearInterval(answering);
assert.equal(recovered.totalBytes, blocks * 4096);
assert.equal(recovered.usedBytes, (blocks / 2) * 4096);
assert.equal(recovered.availableBytes, (blocks / 4) * 4096);
assert.equal(recovered.usagePercent, (2 / 3) * 100);
await until("the stuck thread to end", () => samplerThreads() === 1);

// Gone for good, it answers with an error.
mount.abort();
const gone = await timed();
assert.equal(gone.unreachable.get(mount.mountPoint)?.error, "ENOTCONN");
assert.ok(gone.ms < deadlineMs / 2);
execFileSync("umount", ["--lazy", mount.mountPoint]);
assert.equal((await timed()).unreachable.size, 0);

// Many that hang: threads are bounded, the root is told all the same, from the second sample on at once.
const many = Array.from({ length: 9 }, () => new HangingMount());
const flood = await timed();
assert.ok(flood.ms < 2 * deadlineMs, `took ${flood.ms} ms`);
assert.deepEqual(new Set(flood.unreachable.keys()), new Set(many.map(({ mountPoint }) => mountPoint)));
assert.ok(flood.usage.has("/"));
await until("later samples to be quick", async () => (await timed()).ms < deadlineMs / 4);
for (let i = 0; i < 20; i++) {
  const next = await timed();
  assert.ok(next.ms < deadlineMs / 2, `took ${next.ms} ms`);
  assert.equal(next.unreachable.size, many.length);
  assert.ok(next.usage.has("/"));
  assert.ok(next.sample.interfaces !== undefined);
}
assert.ok(samplerThreads() <= 5, `${samplerThreads()} threads`);

// They come back after the sampler has been closed: their threads find nobody, and end.
const [back, ...stuck] = many;
sampler.close();
for (const other of stuck.slice(0, 4)) other.abort();
back?.abort();
await until("the threads that were stuck to end", () => samplerThreads() === 0);

// And the process ends with some stuck for ever, in the middle of a sample.
const last = new Sampler({ includeFilesystems: [hangingType] });
await last.sample(50);
assert.ok(samplerThreads() > 0);
void last.sample(1000);
console.log("done");
process.exit(0);
