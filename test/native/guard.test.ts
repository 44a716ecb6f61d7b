import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, readdirSync, readlinkSync, writeSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { addon } from "../../src/native/addon.ts";
import { guardWord } from "../../src/native/freeze.ts";
import { until } from "../support/until.ts";

// Nothing is frozen or thawed here, as that could be the file systems of this machine: guards that come to the point of
// thawing have nothing to thaw. The VM suite has the rest.

/** Processes whose parent is `parent`, by the name that guards have. */
function guardsOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, name, rest = ""] =
          /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
        return name === "lqx-guard" && rest.split(" ")[0] !== "Z" && Number(rest.split(" ")[1]) === parent;
      } catch {
        return false; // it has ended
      }
    });
}

async function guardOf(parent: number): Promise<number> {
  const [guard] = await until("a guard", () => {
    const guards = guardsOf(parent);
    return guards.length === 1 && guards;
  });
  return guard ?? 0;
}

async function ended(pid: number, deadlineMs?: number): Promise<void> {
  const isThere = (): boolean => {
    try {
      return /^\d+ \(lqx-guard\) [^Z]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    } catch {
      return false;
    }
  };
  await until("the guard to end", () => !isThere(), deadlineMs);
}

/** A process that starts a guard for `seconds`, and then does nothing. */
async function holder(seconds: number): Promise<ChildProcess> {
  const addonFile = path.join(import.meta.dirname, "../../build/Release/limiquantix.node");
  const code = `const { guardFreeze } = require(${JSON.stringify(addonFile)});
    guardFreeze([], ${seconds}, 600);
    process.stdout.write("ready"); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

describe("the guard of a freeze", () => {
  it("ends when it is told that all is well", async () => {
    const pipe = addon.guardFreeze([], 600, 600);
    const guard = await guardOf(process.pid);
    writeSync(pipe, guardWord.frozen);
    writeSync(pipe, guardWord.release);
    await ended(guard);
    closeSync(pipe);
  });

  it("has nothing open but what it guards, and the agent's word", async () => {
    const fd = openSync("/proc", "r");
    const pipe = addon.guardFreeze([fd], 600, 600);
    const guard = await guardOf(process.pid);
    const open = await until("the rest to be closed", () => {
      const names = readdirSync(`/proc/${guard}/fd`);
      return names.length === 2 && names.map((name) => readlinkSync(`/proc/${guard}/fd/${name}`)).sort();
    });
    assert.equal(open[0], "/proc");
    assert.match(open[1] ?? "", /^pipe:/);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(guard, signal);
    assert.equal(await guardOf(process.pid), guard);
    writeSync(pipe, guardWord.release);
    await ended(guard);
    closeSync(pipe);
    closeSync(fd);
  });

  it("ends at its time", async () => {
    const late = addon.guardFreeze([], 1, 600);
    await ended(await guardOf(process.pid), 10_000);
    const frozen = addon.guardFreeze([], 600, 1);
    const guard = await guardOf(process.pid);
    writeSync(frozen, guardWord.frozen);
    await ended(guard, 10_000);
    for (const pipe of [late, frozen]) closeSync(pipe);
  });

  it("outlives the agent, and ends at once then", async () => {
    const child = await holder(600);
    const guard = await guardOf(child.pid ?? 0);
    child.kill("SIGKILL");
    await once(child, "exit");
    await ended(guard, 2_000);
  });

  it("says what it was given wrong", () => {
    for (const wrong of [undefined, ["x"], [-1]]) {
      assert.throws(() => addon.guardFreeze(wrong as number[], 10, 10), TypeError);
    }
    for (const seconds of [0, 3601, NaN]) {
      assert.throws(() => addon.guardFreeze([], seconds, 10), TypeError);
      assert.throws(() => addon.guardFreeze([], 10, seconds), TypeError);
    }
    assert.throws(() => addon.guardFreeze(new Array<number>(300).fill(0), 10, 10), RangeError);
  });
});
