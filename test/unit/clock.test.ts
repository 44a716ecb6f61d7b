import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { parseTracking, readChrony } from "../../src/agent/clock/chrony.ts";
import { Clock, type TimeOrigin } from "../../src/agent/clock/clock.ts";
import { keeperOfClock, timezoneOf } from "../../src/agent/clock/keeper.ts";
import { originOf } from "../../src/agent/clock/origin.ts";
import { readPtp } from "../../src/agent/clock/ptp.ts";
import { Rtc } from "../../src/agent/clock/rtc.ts";
import { type ToolResult, ToolMissing } from "../../src/agent/tools/tools.ts";
import { TimeSource } from "../../src/wire/envelope.ts";
import { limiquantix } from "../../src/wire/gen/agent.js";
import { addon } from "../../src/native/addon.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { until } from "../support/until.ts";

const { SyncTimeRequest } = limiquantix.agent.v1;
const silent = (): void => undefined;
const { signal } = new AbortController();

function setUp() {
  const system = new FakeClock();
  const warnings: string[] = [];
  const clock = new Clock(system, {
    info: silent,
    warn: (_: unknown, text?: string) => void warnings.push(text ?? ""),
  });
  /** A host that says that the clock is so many seconds behind. */
  const behind = (seconds: number): TimeOrigin => ({
    from: "host",
    timeUs: system.nowUs + seconds * 1e6,
    saidAt: performance.now(),
  });
  const sync = (origin: TimeOrigin, options: { force?: boolean; slew?: boolean } = {}) =>
    clock.sync(origin, { force: false, slew: false, ...options }, signal);
  return { system, clock, behind, sync, warnings };
}

const about = (actual: number, expected: number, within = 0.05): void => {
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not about ${expected}`);
};

describe("a host sets the clock", () => {
  // What the offset is, what is asked for, and what is done.
  for (const [seconds, options, change] of [
    [7200, {}, "step"],
    [-7200, {}, "step"],
    [0.2, {}, "step"],
    [0.2, { slew: true }, "slew"],
    [-0.2, { slew: true }, "slew"],
    [0.2, { slew: true, force: true }, "step"],
    [3, { slew: true }, "step"],
    [-3, { slew: true }, "step"],
  ] as const) {
    it(`by ${seconds} s with ${JSON.stringify(options)}: ${change}`, async () => {
      const { system, behind, sync } = setUp();
      const before = system.nowUs;
      const done = await sync(behind(seconds), options);
      about(done.offsetSeconds, seconds);
      assert.equal(done.source, "host");
      assert.equal(done.slewing, change === "slew");
      const [what = "", by] = (system.changes[0] ?? "").split(" ");
      assert.equal(what, change);
      about(Number(by) / 1e6, seconds);
      assert.equal(system.changes.length, 1);
      about((done.nowMs * 1000 - before) / 1e6, change === "step" ? seconds : 0);
    });
  }

  it("counts the time since it said so", async () => {
    const { system, sync } = setUp();
    const saidAt = performance.now() - 1500;
    const { offsetSeconds } = await sync({ from: "host", timeUs: system.nowUs, saidAt });
    about(offsetSeconds, 1.5);
  });

  it("cannot set it to what is no time", async () => {
    const { system, sync } = setUp();
    for (const timeUs of [
      -1,
      0,
      Date.UTC(1999, 11, 31) * 1000,
      Date.UTC(2100, 0, 1) * 1000,
      1e25,
      9e24,
      NaN,
      Infinity,
    ]) {
      const origin = { from: "host", timeUs, saidAt: performance.now() } as const;
      await assert.rejects(sync(origin, { force: true }), { code: "clock" }, String(timeUs));
    }
    assert.deepEqual(system.changes, []);
  });

  it("is told when the agent may not", async () => {
    const { system, behind, sync } = setUp();
    system.failure = Object.assign(new Error("EPERM: not permitted, adjtimex"), { code: "EPERM" });
    await assert.rejects(sync(behind(10)), { code: "clock", message: /CAP_SYS_TIME/ });
  });

  it("has the hardware clock looked at too, once it is answered", async () => {
    const { system, behind, sync } = setUp();
    await sync(behind(10));
    await until("the look at the hardware clock", () => system.rtcChecks === 1);
    await sync(behind(0.1), { slew: true });
    await sync(behind(5));
    await until("another look", () => system.rtcChecks === 2);
  });

  it("and another, at the same time: each by its own measure", async () => {
    const { system, sync } = setUp();
    const target = system.nowUs + 3600e6;
    const origin = { from: "host", timeUs: target, saidAt: performance.now() } as const;
    const [first, second] = await Promise.all([sync(origin), sync(origin)]);
    about(first.offsetSeconds, 3600);
    about(second.offsetSeconds, 0);
    about((system.nowUs - target) / 1e6, 0);
  });
});

describe("the guest's own sources", () => {
  const seconds = (offset: number, uncertainty = 0) => ({
    offsetUs: offset * 1e6,
    uncertaintyUs: uncertainty * 1e6,
  });

  it("are asked in the order of their quality", async () => {
    const { system, sync } = setUp();
    system.sources.set("ptp", seconds(1)).set("rtc", seconds(2)).set("chrony", seconds(3));
    assert.equal((await sync({ from: "auto" })).source, "ptp");
    system.sources.delete("ptp");
    assert.equal((await sync({ from: "auto" })).source, "rtc");
    system.sources.set("rtc", new Error("stands still"));
    assert.equal((await sync({ from: "auto" })).source, "chrony");
    assert.deepEqual(system.changes, ["step 1000000", "step 2000000", "makestep"]);
    assert.equal((await sync({ from: "chrony" }, { slew: true })).slewing, false); // 3 s are too much for that
  });

  it("leave the clock alone when it may be better than they are", async () => {
    const { system, sync } = setUp();
    system.sources.set("rtc", seconds(0.004, 0.006));
    about((await sync({ from: "rtc" })).offsetSeconds, 0.004, 1e-9);
    assert.deepEqual(system.changes, []);
    await sync({ from: "rtc" }, { force: true });
    assert.deepEqual(system.changes, ["step 4000"]);
  });

  it("that are not there are refused, with what was tried and what to do", async () => {
    const { system, sync, clock } = setUp();
    system.sources.set("rtc", seconds(-26 * 365 * 86_400 - 86_400 * 30));
    await assert.rejects(sync({ from: "auto" }), {
      code: "clock",
      message: /ptp: the guest has none; rtc: .* 1999-.*; chrony: the guest has none\); give the time/,
    });
    await assert.rejects(clock.status({ from: "ptp" }, signal), { code: "clock" });
    assert.deepEqual(system.changes, []);
  });

  it("tell how it stands, and nothing is changed", async () => {
    const { system, clock, behind } = setUp();
    const status = await clock.status(behind(100), signal);
    about(status.offsetSeconds, 100);
    const { keptBy, isSynchronised, timezone, source } = status;
    assert.deepEqual([keptBy, isSynchronised, timezone, source], ["chronyd", true, "Europe/Berlin", "host"]);
    assert.deepEqual([system.changes, system.rtcChecks], [[], 0]);
  });

  it("are given up with the request", async () => {
    const { system, clock } = setUp();
    system.sources.set("rtc", seconds(100));
    const given = AbortSignal.abort(new Error("given up"));
    await assert.rejects(clock.sync({ from: "rtc" }, { force: false, slew: false }, given), /given up/);
    assert.deepEqual(system.changes, []);
  });
});

describe("requests", () => {
  it("are of a host's time, or of a source", () => {
    assert.deepEqual(originOf({ seconds: 5, nanos: 2000 }, TimeSource.TIME_SOURCE_AUTO, 7), {
      from: "host",
      timeUs: 5_000_002,
      saidAt: 7,
    });
    assert.deepEqual(originOf(null, TimeSource.TIME_SOURCE_RTC, 7), { from: "rtc" });
    assert.throws(() => originOf({ seconds: 5, nanos: -1 }, TimeSource.TIME_SOURCE_AUTO, 7), {
      code: "clock",
    });
    assert.throws(() => originOf({ seconds: 5, nanos: 1e9 }, TimeSource.TIME_SOURCE_AUTO, 7), {
      code: "clock",
    });
    const request = SyncTimeRequest.decode(Buffer.of(0xc8, 0x0c, 9)); // source: 9
    assert.throws(() => originOf(null, request.source, 7), { code: "invalidMessage" });
  });
});

describe("what tells a Linux guest the time", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), "clock-"))));
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const put = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  /** A hardware clock that shows so many seconds more than this machine's clock, and begins its seconds with it. */
  const ticking = (ahead: number): { rtc: Rtc; set: [string, number][]; stop: () => void } => {
    const show = (): void => {
      put("sys/class/rtc/next", `${Math.floor(addon.clockNow() / 1e6) + ahead}\n`);
      mkdirSync(path.join(root, "sys/class/rtc/rtc1"), { recursive: true });
      renameSync(path.join(root, "sys/class/rtc/next"), path.join(root, "sys/class/rtc/rtc1/since_epoch"));
    };
    show();
    put("sys/class/rtc/rtc0/hctosys", "0\n");
    put("sys/class/rtc/rtc1/hctosys", "1\n");
    const timer = setInterval(show, 1);
    const set: [string, number][] = [];
    const rtc = new Rtc({
      root,
      now: addon.clockNow,
      set: (device, seconds) => {
        set.push([device, seconds]);
        return Promise.resolve();
      },
    });
    return {
      rtc,
      set,
      stop: () => {
        clearInterval(timer);
      },
    };
  };

  it("is a hardware clock, to a part of a second", async () => {
    const { rtc, stop } = ticking(7200);
    try {
      const reading = await rtc.read(signal);
      about((reading?.offsetUs ?? 0) / 1e6, 7200, 0.05);
      about((reading?.uncertaintyUs ?? 0) / 1e6, 1, 0.1);
    } finally {
      stop();
    }
  });

  it("is a hardware clock that keeps local time", async () => {
    const local = -new Date().getTimezoneOffset() * 60;
    const { rtc, stop, set } = ticking(local);
    try {
      put("etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n");
      about(((await rtc.read(signal))?.offsetUs ?? NaN) / 1e6, 0, 0.05);
      assert.equal(await rtc.correct(2), false);
      assert.deepEqual(set, []);
    } finally {
      stop();
    }
  });

  it("is no clock that stands still, or is not there", async () => {
    const { rtc, stop } = ticking(0);
    stop();
    await assert.rejects(rtc.read(signal), /rtc1 stands still/);
    rmSync(path.join(root, "sys"), { recursive: true });
    assert.equal(await rtc.read(signal), undefined);
    assert.equal(await rtc.correct(2), false);
  });

  it("may be set itself, in the middle of a second", async () => {
    const { rtc, set, stop } = ticking(-60);
    try {
      assert.equal(await rtc.correct(2), true);
      const [[device, seconds]] = set as [[string, number]];
      assert.equal(device, "/dev/rtc1");
      about(addon.clockNow() / 1e6 - seconds, 0.5, 0.2);
      assert.equal(await rtc.correct(61), false);
    } finally {
      stop();
    }
  });

  it("is a PTP clock, only of the hypervisor", async () => {
    const compare = (device: string) =>
      Promise.resolve({ offsetUs: device === "/dev/ptp1" ? 5 : 0, uncertaintyUs: 1 });
    assert.equal(await readPtp(root, compare), undefined);
    put("sys/class/ptp/ptp0/clock_name", "virtio-net\n");
    assert.equal(await readPtp(root, compare), undefined);
    put("sys/class/ptp/ptp1/clock_name", "KVM virtual PTP\n");
    assert.equal((await readPtp(root, compare))?.offsetUs, 5);
  });

  it("is chronyd, when it knows", async () => {
    const line = (behind: string, leap: string): string =>
      `C0000201,192.0.2.1,3,1700000000.1,${behind},0.0,0.0,1.0,0.0,0.1,0.02,0.01,64.4,${leap}\n`;
    assert.deepEqual(parseTracking(line("0.250000000", "Normal")), { offsetUs: 250_000, uncertaintyUs: 0 });
    assert.throws(() => parseTracking(line("0.0", "Not synchronised")), /not synchronised/);
    for (const text of ["", "garbage", line("x", "Normal")])
      assert.throws(() => parseTracking(text), /chronyc said/);
    const answering = (result: Partial<ToolResult> | Error) => ({
      run: () => (result instanceof Error ? Promise.reject(result) : Promise.resolve(result as ToolResult)),
    });
    assert.equal(await readChrony(answering(new ToolMissing("chronyc")), signal), undefined);
    const away = { exitCode: 1, stdout: "506 Cannot talk to daemon\n", stderr: "" };
    assert.equal(await readChrony(answering(away), signal), undefined);
    await assert.rejects(
      readChrony(answering({ exitCode: 1, stdout: "500 Failure\n", stderr: "" }), signal),
      /500/,
    );
  });

  it("and what keeps it right, and where it is", async () => {
    put("proc/1/comm", "systemd\n");
    put("proc/77/comm", "systemd-timesyn\n");
    put("proc/self/comm", "chronyd\n");
    assert.equal(await keeperOfClock(root), "systemd-timesyncd");
    assert.equal(await timezoneOf(root), "");
    put("etc/timezone", "Asia/Kathmandu\n");
    assert.equal(await timezoneOf(root), "Asia/Kathmandu");
    symlinkSync("../usr/share/zoneinfo/Europe/Berlin", path.join(root, "etc/localtime"));
    assert.equal(await timezoneOf(root), "Europe/Berlin");
  });
});
