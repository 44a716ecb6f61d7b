import assert from "node:assert/strict";
import { statfsSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import type { Sample } from "../../src/native/sampler.ts";
import { isolated } from "../support/isolated.ts";
import { Wine, windowsPath } from "../support/windows/wine.ts";

/** Two samples with work between them: CPU, a child, and bytes through loopback. Then one without a watch, and the end. */
const program = `
const { spawn } = require("node:child_process");
const net = require("node:net");
const addon = require(process.argv[2]);
(async () => {
  const sampler = new addon.Sampler({});
  sampler.watch(() => undefined);
  const first = await sampler.sample(5000);
  const child = spawn(process.execPath, ["-e", "setInterval(() => 0, 1e6)"], { stdio: "ignore" });
  await new Promise((resolve) => child.once("spawn", resolve));
  const server = net.createServer((socket) => socket.resume().on("end", () => socket.end()));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bytes = Buffer.alloc(1 << 20);
  await new Promise((resolve) => net.connect(server.address().port, "127.0.0.1").on("close", resolve).end(bytes).resume());
  server.close();
  for (const end = performance.now() + 400; performance.now() < end; );
  const second = await sampler.sample(5000);
  child.kill();
  sampler.unwatch();
  const third = await sampler.sample(5000);
  const running = sampler.sample(5000).catch((error) => error.code);
  const busy = (() => { try { sampler.sample(5000); } catch (error) { return error.code; } })();
  sampler.close();
  const closed = (() => { try { sampler.sample(5000); } catch (error) { return error.code; } })();
  new addon.Sampler({}).watch(() => undefined); // left open: must not keep the process
  const name = addon.readRegistry("SOFTWARE\\\\Microsoft\\\\Windows NT\\\\CurrentVersion", "ProductName");
  console.log(JSON.stringify({ first, second, third, errors: [await running, busy, closed], name }));
})();
`;

interface Said {
  first: Sample;
  second: Sample;
  third: Sample;
  errors: string[];
  name: string;
}

/** A part that has to be there. */
function part<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}

describe("a sample of Windows", () => {
  let wine: Wine;
  let said: Said;
  before(async () => {
    wine = await Wine.open();
    const file = path.join(wine.folder, "sample.cjs");
    writeFileSync(file, program);
    const addon = windowsPath("prebuilds/win32-x64/limiquantix.node");
    const { code, stdout, stderr } = await wine.run([windowsPath(file), addon]);
    assert.equal(code, 0, stderr);
    said = JSON.parse(stdout) as Said;
  });
  after(() => wine[Symbol.asyncDispose]());

  it("has the memory and the CPUs that there are", () => {
    const { memory, cpu } = said.second;
    const { totalBytes, usedBytes, availableBytes, swapTotalBytes, swapUsedBytes } = part(memory);
    assert.ok(Math.abs(totalBytes - os.totalmem()) < 0.01 * os.totalmem());
    assert.equal(usedBytes, totalBytes - availableBytes);
    assert.ok(usedBytes > 0 && availableBytes > 0 && swapUsedBytes <= swapTotalBytes);
    const { cores } = part(cpu);
    assert.deepEqual(
      cores.map(({ index }) => index),
      os.cpus().map((_cpu, index) => index),
    );
  });

  it("moves with what happens", () => {
    const { first, second } = said;
    const { usagePercent, cores } = part(second.cpu);
    assert.ok(usagePercent > 0 && usagePercent <= 100);
    assert.ok(cores.some((core) => core.usagePercent > 20));
    assert.ok(part(second.uptimeSeconds) > part(first.uptimeSeconds));
    assert.ok(part(second.processCount) > part(first.processCount));
    const loopback = (sample: Sample): number => {
      const link = part(sample.interfaces?.find((candidate) => candidate.loopback));
      return Math.min(link.rxBytes, link.txBytes);
    };
    assert.ok(loopback(second) - loopback(first) >= 1 << 20);
  });

  it("has no load averages, which Windows does not know", () => {
    assert.deepEqual(said.second.load, [0, 0, 0]);
  });

  it("has the fixed volumes as full as they are", () => {
    const drive = part(said.second.filesystems.find(({ mountPoint }) => mountPoint === "C:\\"));
    const { bsize, blocks } = statfsSync(wine.driveC);
    assert.equal(drive.totalBytes, bsize * blocks);
    assert.ok(drive.usedBytes > 0 && drive.availableBytes > 0 && drive.usagePercent < 100);
    assert.notEqual(drive.filesystem, "");
    assert.deepEqual(said.second.unreachableMounts, []);
    // The root of the machine, which Wine takes for a drive; its terminals and pipes are none.
    assert.deepEqual(
      said.first.filesystems.map(({ mountPoint }) => mountPoint),
      ["C:\\", "Z:\\"],
    );
  });

  it("has the interfaces with their addresses, also when nobody watches for changes", () => {
    for (const sample of [said.first, said.second, said.third]) {
      for (const [name, addresses = []] of Object.entries(os.networkInterfaces())) {
        const link = part(sample.interfaces?.find((candidate) => candidate.name === name));
        assert.deepEqual(
          [...link.ipv4Addresses, ...link.ipv6Addresses].sort(),
          addresses.map(({ cidr }) => cidr).sort(),
        );
        assert.equal(link.state, "up");
        assert.ok(link.mtu >= 1280);
        if (!link.loopback) assert.equal(link.macAddress, addresses[0]?.mac);
      }
    }
  });

  it("is taken one at a time, and not by a sampler that is closed", () => {
    assert.deepEqual(said.errors, ["ECANCELED", "EBUSY", "EBADF"]);
  });

  it("comes with the system's name out of the registry", () => {
    assert.match(said.name, /Windows/);
  });

  it("is asked for when an address or a link has changed", () => isolated("windows/interface-changes.ts"));
});
