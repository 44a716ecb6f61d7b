// Each number against what the system's own tools say. What moves is either asked before and after, or asked again
// until both agree.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { after, describe, it } from "node:test";
import { type NetworkInterface, type Sample, Sampler } from "../../src/native/sampler.ts";
import { until } from "../support/until.ts";

const MiB = 1024 ** 2;

const read = (file: string): string => readFileSync(file, "utf8").trim();
const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: "utf8", env: { PATH: process.env.PATH, LC_ALL: "C" } }).trim();

const sampler = new Sampler();
after(() => {
  sampler.close();
});

function present<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}

/** A sample, what `ask` said next, and a sample after that. */
async function around<T>(ask: () => T): Promise<[Sample, T, Sample]> {
  return [await sampler.sample(), ask(), await sampler.sample()];
}

function assertBetween(low: number, value: number, high: number, what: string): void {
  assert.ok(low <= value && value <= high, `${what}: ${low} <= ${value} <= ${high}`);
}

describe("sampler", () => {
  it("has the memory and swap of free", async () => {
    const [first, text, second] = await around(() => run("free", "-b"));
    const row = (name: string): number[] => {
      const line = text.split("\n").find((candidate) => candidate.startsWith(name));
      return present(line).split(/\s+/).slice(1).map(Number);
    };
    const [total, used, , , , available] = row("Mem:");
    const [swapTotal, swapUsed] = row("Swap:");
    for (const memory of [present(first.memory), present(second.memory)]) {
      assert.equal(memory.totalBytes, total);
      assert.equal(memory.swapTotalBytes, swapTotal);
      assert.equal(memory.usedBytes, memory.totalBytes - memory.availableBytes);
      // Other processes go on meanwhile.
      assert.ok(Math.abs(memory.usedBytes - present(used)) < 512 * MiB);
      assert.ok(Math.abs(memory.availableBytes - present(available)) < 512 * MiB);
      assert.ok(Math.abs(memory.swapUsedBytes - present(swapUsed)) < 512 * MiB);
    }
  });

  it("has the load averages of /proc/loadavg", async () => {
    await until("the load averages to agree", async () => {
      const expected = read("/proc/loadavg").split(" ").slice(0, 3).map(Number);
      const { load } = await sampler.sample();
      return load?.every((value, i) => value === expected[i]);
    });
  });

  it("has the uptime of /proc/uptime", async () => {
    const [first, uptime, second] = await around(() => Number(read("/proc/uptime").split(" ")[0]));
    assertBetween(present(first.uptimeSeconds), uptime, present(second.uptimeSeconds), "seconds");
  });

  it("counts the processes that ps counts, not the threads", async () => {
    await until("the counts to agree", async () => {
      const { processCount } = await sampler.sample();
      const listed = run("ps", "-e", "-o", "pid=").split("\n").length - 1; // ps itself
      return processCount === listed;
    });
  });

  it("has a CPU for each that nproc knows, and sees one at work", async () => {
    await sampler.sample();
    for (const end = performance.now() + 400; performance.now() < end;);
    const { cpu } = await sampler.sample();
    assert.equal(cpu?.cores.length, Number(run("nproc", "--all")));
    for (const { usagePercent } of [...cpu.cores, cpu]) assertBetween(0, usagePercent, 100, "percent");
    const most = Math.max(...cpu.cores.map(({ usagePercent }) => usagePercent));
    assertBetween(60, most, 100, "the busiest CPU's percent");
    assertBetween(60 / cpu.cores.length, cpu.usagePercent, 100, "percent of all CPUs");
  });

  it("repeats percentages when asked again before they can be measured", async () => {
    for (const end = performance.now() + 150; performance.now() < end;);
    const { cpu, diskIo } = await sampler.sample();
    const again = await sampler.sample();
    assert.deepEqual(again.cpu, cpu);
    const busy = (disks: Sample["diskIo"]) => disks?.map(({ busyPercent }) => busyPercent);
    assert.deepEqual(busy(again.diskIo), busy(diskIo));
  });

  it("has the numbers of df for each file system, the root among them", async () => {
    const { filesystems, unreachableMounts } = await sampler.sample();
    assert.deepEqual(unreachableMounts, []);
    assert.ok(filesystems.some(({ mountPoint }) => mountPoint === "/"));
    assert.equal(new Set(filesystems.map(({ mountPoint }) => mountPoint)).size, filesystems.length);
    for (const { mountPoint } of filesystems) {
      await until(`df to agree on ${mountPoint}`, async () => {
        const fields = ["fstype", "size", "used", "avail", "pcent"].join(",");
        const line = run("df", "-B1", `--output=${fields}`, mountPoint).split("\n")[1];
        const usage = (await sampler.sample()).filesystems.find((other) => other.mountPoint === mountPoint);
        if (usage === undefined) return false;
        const { filesystem, totalBytes, usedBytes, availableBytes, usagePercent } = usage;
        const expected = [filesystem, totalBytes, usedBytes, availableBytes, `${Math.ceil(usagePercent)}%`];
        return line?.trim().split(/\s+/).join() === expected.join();
      });
    }
  });

  it("has the interfaces and addresses of ip -j addr", async () => {
    interface IpLink {
      ifindex: number;
      ifname: string;
      flags: string[];
      mtu: number;
      operstate: string;
      address?: string;
      linkinfo?: { info_kind?: string };
      addr_info: { family: string; local: string; prefixlen: number }[];
    }
    const cidrs = (link: IpLink, wanted: string): string[] =>
      link.addr_info
        .filter(({ family }) => family === wanted)
        .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
    const expectedOf = (link: IpLink) => ({
      index: link.ifindex,
      name: link.ifname,
      kind: link.linkinfo?.info_kind ?? "",
      loopback: link.flags.includes("LOOPBACK"),
      up: link.operstate === "UP" || (link.operstate === "UNKNOWN" && link.flags.includes("LOWER_UP")),
      mtu: link.mtu,
      macAddress: link.address ?? "",
      ipv4Addresses: cidrs(link, "inet"),
      ipv6Addresses: cidrs(link, "inet6"),
    });
    const actualOf = (link: NetworkInterface) => ({
      index: link.index,
      name: link.name,
      kind: link.kind,
      loopback: link.loopback,
      up: link.state === "up",
      mtu: link.mtu,
      macAddress: link.macAddress,
      ipv4Addresses: link.ipv4Addresses,
      ipv6Addresses: link.ipv6Addresses,
    });
    // Other suites may make interfaces meanwhile.
    let actual: unknown, expected: unknown;
    await until("the interfaces to agree", async () => {
      actual = present((await sampler.sample()).interfaces).map(actualOf);
      expected = (JSON.parse(run("ip", "-j", "-d", "addr")) as IpLink[]).map(expectedOf);
      return JSON.stringify(actual) === JSON.stringify(expected);
    }).catch(() => undefined);
    assert.deepEqual(actual, expected);
  });

  it("has the interface counters of the kernel", async () => {
    const names = {
      rxBytes: "rx_bytes",
      txBytes: "tx_bytes",
      rxPackets: "rx_packets",
      txPackets: "tx_packets",
    };
    const folder = "/sys/class/net/lo/statistics";
    const [first, told, second] = await around(() =>
      Object.values(names).map((name) => Number(read(`${folder}/${name}`))),
    );
    for (const [i, key] of (Object.keys(names) as (keyof typeof names)[]).entries()) {
      const [low, high] = [first, second].map(
        ({ interfaces }) => interfaces?.find(({ name }) => name === "lo")?.[key] ?? NaN,
      );
      assertBetween(present(low), present(told[i]), present(high), key);
    }
  });

  it("has whole disks only, with the counters of /sys/block", async () => {
    const [first, told, second] = await around(() =>
      Object.fromEntries(
        readdirSync("/sys/block").map((name) => [
          name,
          read(`/sys/block/${name}/stat`).split(/\s+/).map(Number),
        ]),
      ),
    );
    const disks = present(first.diskIo);
    assert.deepEqual(
      disks.map(({ device }) => device).sort(),
      Object.keys(told)
        .filter((name) => !/^(loop|ram|zram|fd|sr)/.test(name))
        .sort(),
    );
    for (const low of disks) {
      const high = present(second.diskIo?.find(({ device }) => device === low.device));
      const [reads = NaN, , sectorsRead = NaN, , writes = NaN, , sectorsWritten = NaN] = present(
        told[low.device],
      );
      assertBetween(low.reads, reads, high.reads, "reads");
      assertBetween(low.writes, writes, high.writes, "writes");
      assertBetween(low.readBytes, sectorsRead * 512, high.readBytes, "bytes read");
      assertBetween(low.writeBytes, sectorsWritten * 512, high.writeBytes, "bytes written");
      assertBetween(0, high.busyPercent, 100, "percent busy");
    }
  });

  it("has the pressure that the kernel tells, where it does", async () => {
    const resources = ["cpu", "memory", "io"] as const;
    const told = (resource: string): number | undefined => {
      try {
        return Number(/total=(\d+)/.exec(read(`/proc/pressure/${resource}`))?.[1]);
      } catch {
        return undefined;
      }
    };
    const [first, totals, second] = await around(() => resources.map(told));
    for (const [i, resource] of resources.entries()) {
      const total = totals[i];
      if (total === undefined) {
        assert.equal(first.pressure[resource], undefined);
        continue;
      }
      const [low, high] = [first.pressure[resource], second.pressure[resource]];
      assertBetween(present(low).someTotalUs, total, present(high).someTotalUs, `µs of ${resource} pressure`);
      assertBetween(0, present(high).someAvg10, 100, "percent");
    }
  });
});
