import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type WindowsPower, windowsPower } from "../../src/agent/power/win32.ts";
import { windowsError } from "../support/windows/windows-error.ts";

class FakeWindows implements WindowsPower {
  readonly calls: unknown[] = [];
  failure: Error | undefined;

  shutdownSystem = (options: { reboot: boolean; message: string }): Promise<void> => {
    this.calls.push(options);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  };

  tellSessions = (title: string, text: string, seconds: number): Promise<number> => {
    this.calls.push([title, text, seconds]);
    return Promise.resolve(1);
  };
}

describe("power on Windows", () => {
  it("goes down by the system's own call, with the host's message", async () => {
    const windows = new FakeWindows();
    const power = windowsPower(windows);
    const way = await power.wayDown("poweroff");
    assert.equal(way.program, "InitiateSystemShutdownEx");
    await power.takeDown("poweroff", way, "maintenance");
    await power.takeDown("reboot", way, "");
    await power.takeDown("reboot", way, "x".repeat(1024));
    assert.deepEqual(windows.calls, [
      { reboot: false, message: "maintenance" },
      { reboot: true, message: "The host of this virtual machine asks for it." },
      { reboot: true, message: "x".repeat(512) },
    ]);
  });

  it("cannot halt", async () => {
    await assert.rejects(windowsPower(new FakeWindows()).wayDown("halt"), {
      code: "shutdown",
      message: /cannot halt.*ask for a poweroff/,
    });
  });

  for (const [number, problem] of [
    [1314, /Windows does not go down: the agent may not .* as LocalSystem/],
    [1115, /it is going down already/],
    [21, /Windows error 21/],
  ] as const)
    it(`says what to do about Windows error ${number}`, async () => {
      const windows = new FakeWindows();
      windows.failure = windowsError(number, "InitiateSystemShutdownExW");
      const power = windowsPower(windows);
      const way = await power.wayDown("reboot");
      await assert.rejects(power.takeDown("reboot", way, ""), { code: "reboot", message: problem });
    });

  it("tells those who are at work", async () => {
    const windows = new FakeWindows();
    await windowsPower(windows).tell("This system restarts now.\n");
    assert.deepEqual(windows.calls, [["Virtual machine", "This system restarts now.\n", 60]]);
  });
});
