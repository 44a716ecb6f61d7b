import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type WindowsClock, windowsClock } from "../../src/agent/clock/win32.ts";
import { windowsError } from "../support/windows/windows-error.ts";

/** A clock that only exists here. */
class FakeWindows implements WindowsClock {
  /** "step 5", "rate 500", in order. */
  readonly calls: string[] = [];
  rate = 0;
  services: string[] = [];
  failure: Error | undefined;

  clockNow = (): number => 1e15;
  clockRate = (): number => this.rate;
  isServiceRunning = (name: string): Promise<boolean> => Promise.resolve(this.services.includes(name));

  stepSystemTime = (byUs: number): Promise<void> => this.#do(`step ${byUs}`);

  setClockRate = (rate: number): Promise<void> =>
    this.#do(`rate ${rate}`).then(() => {
      this.rate = rate;
    });

  #do(call: string): Promise<void> {
    this.calls.push(call);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  }
}

/** Lets all that is ready go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

describe("the clock of Windows", () => {
  let windows: FakeWindows;
  beforeEach(() => {
    windows = new FakeWindows();
  });

  it("is stepped by what it is off", async () => {
    await windowsClock(windows).step(-1_500_000.5);
    assert.deepEqual(windows.calls, ["step -1500000.5"]);
  });

  it("goes faster or slower for as long as it takes, and then by itself again", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const clock = windowsClock(windows);
    await clock.slew(-1_000);
    assert.deepEqual(windows.calls, ["rate -500"]);
    context.mock.timers.tick(1_999);
    await settle();
    assert.deepEqual(windows.calls, ["rate -500"]);
    context.mock.timers.tick(1);
    await settle();
    assert.deepEqual(windows.calls, ["rate -500", "rate 0"]);
    assert.equal(windows.rate, 0);
  });

  it("is not left at another rate because Windows did not listen once", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    await windowsClock(windows).slew(500);
    windows.failure = windowsError(1450, "SetSystemTimeAdjustmentPrecise");
    context.mock.timers.tick(1_000);
    await settle();
    windows.failure = undefined;
    context.mock.timers.tick(10_000);
    await settle();
    assert.deepEqual(windows.calls, ["rate 500", "rate 0", "rate 0"]);
    context.mock.timers.tick(100_000);
    await settle();
    assert.equal(windows.calls.length, 3);
  });

  it("has one change at a time: a step, another slew, or the agent's end takes a slew's place", async () => {
    const clock = windowsClock(windows);
    await clock.slew(400_000);
    await clock.slew(-400_000);
    await clock.step(5);
    await clock.slew(400_000);
    await clock.close?.();
    await clock.close?.();
    assert.deepEqual(windows.calls, [
      "rate 500",
      "rate 0",
      "rate -500",
      "rate 0",
      "step 5",
      "rate 500",
      "rate 0",
    ]);
  });

  it("is not slewed against Windows Time", async () => {
    windows.services = ["w32time"];
    const clock = windowsClock(windows);
    await assert.rejects(clock.slew(5), { code: "clock", message: /w32time sets its rate; leave slew out/ });
    assert.deepEqual(windows.calls, []);
    assert.equal(await clock.keptBy(), "w32time");
    windows.services = [];
    assert.equal(await clock.keptBy(), "");
  });

  it("is put right after an agent that was killed meanwhile, and left alone otherwise", async () => {
    const clock = windowsClock(windows);
    for (const [rate, services, isOurs] of [
      [500.02, [], true],
      [-499.9, [], true],
      [0, [], false],
      [37, [], false],
      [500, ["w32time"], false],
    ] as const) {
      windows.rate = rate;
      windows.services = [...services];
      assert.equal(await clock.begin?.(), isOurs);
      assert.equal(windows.rate, isOurs ? 0 : rate);
    }
  });

  it("says what to do where the agent may not", async () => {
    windows.failure = windowsError(1314, "AdjustTokenPrivileges");
    await assert.rejects(windowsClock(windows).step(5), {
      code: "clock",
      message: /cannot set the clock: the agent may not \(Windows error 1314\); .* LocalSystem/,
    });
  });
});
