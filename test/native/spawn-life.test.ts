// What a daemon that runs for years relies on: no zombie, nothing left behind, nobody can hold it up.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { addon } from "../../src/native/addon.ts";
import type { RawProcess, SpawnOptions } from "../../src/native/process.ts";
import { children, processes, threadsNamed } from "../support/children.ts";
import { Command, outputOf } from "../support/command.ts";
import { until } from "../support/until.ts";

const addonFile = path.resolve("build/Release/limiquantix.node");
const run = promisify(execFile);
const kill = 9;

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;
const threads = (): number => ["lqx-spawn", "lqx-reap"].map(threadsNamed).reduce((a, b) => a + b);
const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`);
const nothing = (): undefined => undefined;

/** For programs given as text, in workers or processes of their own. */
const preamble = `
  const addon = require(${JSON.stringify(addonFile)});
  const fs = require("node:fs");
  const start = (script, options, onExit = () => {}) =>
    addon.spawn({ files: ["/bin/sh"], args: ["sh", "-c", script], environment: [], workingDirectory: "/", ...options }, onExit);
`;
const program = (source: string, ...flags: string[]) =>
  run(process.execPath, [...flags, "-e", preamble + source], { timeout: 20_000 });

for (const way of ["pidfd", "no pidfd"]) {
  const asKernel: Partial<SpawnOptions> = way === "pidfd" ? {} : { pidfd: false };
  const given = JSON.stringify(asKernel);

  describe(`command's life, ${way}`, () => {
    it("leaves no zombie, descriptor or thread behind, closed early or late", async () => {
      const before = openDescriptors();
      for (let i = 0; i < 200; i++) {
        const command = await Command.start("/bin/true", [], {
          ...asKernel,
          stdin: "pipe",
          ...(i % 5 === 0 && { pty: { columns: 80, rows: 25 } }),
        });
        if (i % 2 === 0) await until("the command's end", () => command.exited);
        command[Symbol.dispose]();
        command.process.close();
      }
      await until("all to be reaped", () => children().length === 0);
      await until("all descriptors to be closed", () => openDescriptors() <= before);
      await until("all threads to end", () => threads() === 0);
    });

    it("is reaped when it is closed while it runs, and tells no one", async () => {
      const command = await Command.start("/bin/sleep", ["1000"], asKernel);
      const { pid } = command.process;
      command.process.close();
      assert.equal(command.process.signal(kill), false);
      command.output?.port.close();
      assert.ok(isRunning(pid), "closing ends nothing");
      process.kill(pid, kill);
      await until("it to be reaped", () => !isRunning(pid));
      assert.equal(command.exits, 0);
    });

    it("is reaped when it is garbage", async () => {
      const { stdout } = await program(
        `
        const children = () => fs.readdirSync("/proc/self/task").flatMap((thread) => {
          try { return fs.readFileSync("/proc/self/task/" + thread + "/children", "utf8").trim().split(" ").filter(Boolean); }
          catch { return []; }
        });
        const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
        (async () => {
          for (let i = 0; i < 200; i++) await start(i % 2 ? "exit 3" : "exec sleep 0.1", ${given}).ready;
          for (let i = 0; i < 1000 && children().length > 0; i++) { gc(); await turn(); }
          console.log(children().length);
        })();`,
        "--expose-gc",
      );
      assert.equal(stdout.trim(), "0");
    });

    it("is reaped when its worker is terminated, while it starts, runs, or has ended", async () => {
      const before = openDescriptors();
      for (let i = 0; i < 20; i++) {
        const worker = new Worker(
          `${preamble}
           const { parentPort } = require("node:worker_threads");
           const kept = [];
           (async () => {
             for (let i = 0; i < 5; i++) kept.push(await start("exec sleep 0.05", ${given}).ready, await start("exit 0", ${given}).ready);
             parentPort.postMessage(kept.map(({ pid }) => pid));
             for (;;) await start("exit 1", ${given}).ready;
           })();`,
          { eval: true },
        );
        const [pids] = (await once(worker, "message")) as [number[]];
        assert.equal(pids.length, 10);
        await worker.terminate();
      }
      await until("all to be reaped", () => children().length === 0);
      await until("the workers' descriptors to be closed", () => openDescriptors() <= before + 2);
      await until("all threads to end", () => threads() === 0);
    });

    it("lets the process wait for it, and exit in the middle of it", async () => {
      const waited = await program(
        `start("exit 7", ${given}, (code) => console.log(code)).ready.then((given) => (globalThis.kept = given));`,
      );
      assert.equal(waited.stdout.trim(), "7");
      for (let i = 0; i < 5; i++) {
        const early = await program(
          `start("exec sleep 0.05", ${given}).ready.then(() => process.exit(0)); start("exit 0", ${given}); console.log("exit"); ${i % 2 ? "process.exit(0)" : ""}`,
        );
        assert.equal(early.stdout.trim(), "exit");
      }
    });

    it("may be closed inside onExit, and in the turn it is ready", async () => {
      const { stdout } = await program(`
        let kept;
        start("exit 0", ${given}, () => { kept.close(); console.log("closed"); start("exit 0", ${given}).ready.then((next) => next.close()); })
          .ready.then((given) => (kept = given));`);
      assert.equal(stdout.trim(), "closed");
    });

    it("is aborted at any time, and nothing of it stays", async () => {
      const before = openDescriptors();
      for (let i = 0; i < 100; i++) {
        const spawning = addon.spawn(
          {
            files: ["/bin/sleep"],
            args: ["sleep", "1000"],
            environment: [],
            workingDirectory: "/",
            stdin: "pipe",
            ...(i % 2 === 0 && { pty: { columns: 80, rows: 25 } }),
            ...asKernel,
          },
          () => {
            assert.fail("told of an aborted command");
          },
        );
        const result = spawning.ready.catch((error: unknown) => (error as NodeJS.ErrnoException).code);
        const end = performance.now() + (i % 10) * 0.05;
        while (performance.now() < end); // so that the thread is somewhere else each time
        spawning.abort();
        spawning.abort();
        assert.equal(await result, "ECANCELED");
      }
      await until("all to be reaped", () => children().length === 0);
      await until("all descriptors to be closed", () => openDescriptors() <= before);
      await until("all threads to end", () => threads() === 0);
    });

    it("goes on after a late abort", async () => {
      const spawning = addon.spawn(
        {
          files: ["/bin/sleep"],
          args: ["sleep", "1000"],
          environment: [],
          workingDirectory: "/",
          ...asKernel,
        },
        nothing,
      );
      const command = await spawning.ready;
      spawning.abort();
      assert.equal(command.signal(0), true);
      command.signal(kill);
      command.close();
      await until("it to be reaped", () => !isRunning(command.pid));
    });

    it("does not disturb Node's own children, nor they it", async () => {
      const own = Array.from({ length: 50 }, (_, i) => {
        const child = spawn("/bin/sh", ["-c", `exit ${i}`]);
        return once(child, "exit").then(([code]) => code as number);
      });
      const ours = Array.from({ length: 50 }, (_, i) => outputOf(`echo ${i}`, asKernel));
      assert.deepEqual(await Promise.all(own), [...own.keys()]);
      assert.deepEqual(await Promise.all(ours), [...ours.keys()].map(String));
    });
  });
}

describe("command of a hostile user", () => {
  it("holds up nothing when the user stops it before it is executed, and can be aborted", async (test) => {
    // A user of this test's own, since it stops all that the user has.
    const uid = 3_000_000_000 + process.pid;
    const identity = { uid, gid: uid, groups: [] };
    using hostile = await Command.shell("while :; do kill -STOP -1; done 2>/dev/null", { identity });
    // Long paths keep a child longer where the user may stop it.
    const detour = "/.".repeat(2000);
    const pending = new Map<object, () => void>();
    test.after(() => {
      for (const abort of pending.values()) abort();
    });
    const settled: Promise<void>[] = [];
    const codes: unknown[] = [];
    const exits: { code: number; signal: number }[] = [];
    let hostileGone = false;
    const start = (): void => {
      let started: RawProcess | undefined;
      const spawning = addon.spawn(
        {
          files: [`${detour}/bin/true`],
          args: ["true"],
          environment: [],
          workingDirectory: detour,
          identity,
        },
        (code, signal) => {
          exits.push({ code, signal });
          started?.close();
        },
      );
      pending.set(spawning, () => {
        spawning.abort();
      });
      settled.push(
        spawning.ready.then(
          (command) => {
            pending.delete(spawning);
            started = command;
            if (hostileGone) return;
            command.signal(kill);
            command.close();
          },
          (error: unknown) => {
            codes.push((error as NodeJS.ErrnoException).code);
            pending.delete(spawning);
          },
        ),
      );
    };
    // Stopped, of that user, and still with this process's memory, which its command line is part of.
    const own = readFileSync("/proc/self/cmdline", "utf8");
    const stuck = (): number[] =>
      children()
        .filter((child) => child.uid === uid && child.state === "T")
        .map(({ pid }) => pid)
        .filter((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, "utf8") === own;
          } catch {
            return false; // it has just ended
          }
        });
    const victims = await until(
      "some to be stopped before they are executed",
      () => {
        if (pending.size < 20) start();
        const found = stuck();
        return found.length >= 3 && found;
      },
      30_000,
    );
    hostile.process.signalGroup(kill);
    hostileGone = true;

    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await until("timers to fire all the same", () => turns > 50);
    assert.equal(await outputOf("echo others start"), "others start");
    clearInterval(timer);
    assert.deepEqual(
      victims.filter((pid) => !isRunning(pid)),
      [],
    );
    assert.ok(pending.size >= victims.length);

    // The user owns them, but does not get at the memory that they share with this process. (With the kernel's
    // setting 1 anybody may look into what once was another user's; then they have a copy.)
    if (readFileSync("/proc/sys/fs/suid_dumpable", "utf8").trim() !== "1") {
      const [victim] = victims;
      const script = `for file in environ mem maps; do cat /proc/${victim}/$file >/dev/null && exit 1; done; exit 0`;
      assert.equal(await outputOf(script, { identity }), "");
    }

    // Nor can the user have it dump core, for which old kernels end all who share the memory.
    const [, second] = victims;
    await outputOf(`kill -QUIT ${second}; kill -CONT ${second}`, { identity });
    // Others, that were on their way when the stopping ended, come to a good end.
    const unlucky = () => exits.find(({ code, signal }) => code !== 0 || signal !== 0);
    assert.deepEqual(await until("its end", unlucky), { code: 0, signal: kill });

    for (const abort of [...pending.values()]) abort();
    await Promise.all(settled);
    assert.ok(codes.length >= victims.length - 1 && codes.every((code) => code === "ECANCELED"));
    await until("all to be gone", () =>
      processes().every((other) => other.uid !== uid || other.pid === hostile.process.pid),
    );
    await until("all threads to end", () => threads() === 0);
  });
});
