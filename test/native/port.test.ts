import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { addon } from "../../src/native/addon.ts";
import { until } from "../support/until.ts";

const addonFile = path.resolve("build/Release/limiquantix.node");
const run = promisify(execFile);

/** Runs a program that has `addon`, in a process of its own. */
function program(source: string, flags: string[] = []) {
  const code = `const addon = require(${JSON.stringify(addonFile)}); ${source}`;
  return run(process.execPath, [...flags, "-e", code], { timeout: 20_000 });
}

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;

/** A terminal whose two ends are both ports; `a` is the master. */
const pair = `
  const pty = addon.openPty();
  const a = new addon.Port({ fd: pty.fd }, onA = () => {});
  const b = new addon.Port({ device: pty.path }, onB = () => {});
`;

describe("native port", () => {
  it("throws errors of Node's own shape", () => {
    const thrown = (source: { device: string } | { socket: string }): unknown => {
      try {
        new addon.Port(source, () => undefined);
        return undefined;
      } catch (error) {
        const { code, errno, syscall, path: place, message } = error as NodeJS.ErrnoException;
        return { code, errno, syscall, place, message };
      }
    };
    assert.deepEqual(thrown({ device: "/nowhere/port" }), {
      code: "ENOENT",
      errno: -2,
      syscall: "open",
      place: "/nowhere/port",
      message: "ENOENT: no such file or directory, open '/nowhere/port'",
    });
    assert.equal((thrown({ socket: "/nowhere/socket" }) as { syscall: string }).syscall, "connect");
    assert.equal((thrown({ socket: "/x".repeat(200) }) as { code: string }).code, "ENAMETOOLONG");
    assert.equal((thrown({ device: import.meta.filename }) as { syscall: string }).syscall, "epoll_ctl");
  });

  it("leaves no descriptor behind, closed or collected", async () => {
    const before = openDescriptors();
    for (let i = 0; i < 500; i++) {
      const { fd, path: device } = addon.openPty();
      const a = new addon.Port({ fd }, () => undefined);
      const b = new addon.Port({ device }, () => undefined);
      b.close();
      a.close();
      a.close();
    }
    await until("all descriptors to be closed", () => openDescriptors() <= before);
  });

  it("is closed when it is garbage, with its poll still running", async () => {
    const { stdout } = await program(
      `
      const fds = () => require("fs").readdirSync("/proc/self/fd").length;
      const before = fds();
      for (let i = 0; i < 200; i++) { (() => { ${pair} })(); }
      (async () => {
        for (let i = 0; i < 100 && fds() > before + 5; i++) { gc(); await new Promise((r) => setTimeout(r, 10)); }
        console.log(fds() <= before + 5 ? "collected" : "leaked " + (fds() - before));
        process.exit(0);
      })();`,
      ["--expose-gc"],
    );
    assert.equal(stdout.trim(), "collected");
  });

  it("lets the process exit in the middle of reading", async () => {
    const { stdout } = await program(`${pair}
      const buffer = Buffer.alloc(65536);
      onB = () => {};
      const c = new addon.Port({ device: pty.path }, () => { c.read(buffer); console.log("read"); process.exit(0); });
      a.write([Buffer.from("x")]);
    `);
    assert.equal(stdout.trim(), "read");
  });

  it("may be closed inside its own callback, which may throw", async () => {
    const child = spawn(process.execPath, [
      "-e",
      `const addon = require(${JSON.stringify(addonFile)});
       const pty = addon.openPty();
       const a = new addon.Port({ fd: pty.fd }, () => {});
       const b = new addon.Port({ device: pty.path }, () => { b.close(); throw new Error("from the callback"); });
       process.on("uncaughtException", (error) => { console.log(error.message); process.exit(7); });
       a.write([Buffer.from("x")]);`,
    ]);
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    const [code] = (await once(child, "close")) as [number];
    assert.equal(output.trim(), "from the callback");
    assert.equal(code, 7);
  });

  it("works in worker threads, which may be terminated with ports open", async () => {
    const before = openDescriptors();
    for (let i = 0; i < 10; i++) {
      const worker = new Worker(
        `const { parentPort } = require("worker_threads");
         const addon = require(${JSON.stringify(addonFile)});
         const pty = addon.openPty();
         const a = new addon.Port({ fd: pty.fd }, () => {});
         const buffer = Buffer.alloc(1000);
         const b = new addon.Port({ device: pty.path }, () => { if (b.read(buffer) > 0) parentPort.postMessage(1); });
         setInterval(() => a.write([Buffer.from("x")]), 1);`,
        { eval: true },
      );
      await once(worker, "message");
      await worker.terminate();
    }
    await until("the workers' descriptors to be closed", () => openDescriptors() <= before + 2);
  });

  it("uses no CPU while nobody sends", async () => {
    const child = spawn(process.execPath, [
      "-e",
      `const addon = require(${JSON.stringify(addonFile)}); ${pair} setTimeout(() => console.log("ready"), 300);`,
    ]);
    try {
      await once(child.stdout, "data");
      const ticks = (): number => {
        const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
        return Number(fields[11]) + Number(fields[12]);
      };
      const before = ticks();
      await new Promise((resolve) => setTimeout(resolve, 2000));
      assert.ok(ticks() - before <= 1, `${ticks() - before} ticks of 10 ms in 2 s`);
    } finally {
      child.kill();
    }
  });
});
