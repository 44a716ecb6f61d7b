import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { addon } from "../../src/native/addon.ts";
import { decodeEnvelope } from "../../src/wire/envelope.ts";
import { until } from "../support/until.ts";

describe("the single executables", () => {
  let folder: string;
  let agent: ChildProcess;
  const at = (name: string): string => path.join(folder, name);
  const program = (name: string): string =>
    at(name === "limiquantix-agent" ? `programs/${name}/${name}` : `programs/${name}`);
  /** Of a machine that has neither Node.js nor this clone. */
  const env = { PATH: "/nowhere" };
  const ctl = (...args: string[]): string =>
    execFileSync(program("limiquantix-ctl"), ["--socket", at("agent.sock"), ...args], {
      env,
      encoding: "utf8",
    });

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "executable-"));
    cpSync("dist/executable/linux-x64", at("programs"), { recursive: true });
    writeFileSync(at("agent.yaml"), `state_dir: ${at("state")}\n`);
    const port = ["--port", `unix-listen:${at("agent.sock")}`];
    agent = spawn(program("limiquantix-agent"), [...port, "--config", at("agent.yaml")], {
      env,
      stdio: "ignore",
    });
    await until("the agent's socket", () => existsSync(at("agent.sock")), 20_000);
  });
  after(async () => {
    const ended = once(agent, "exit");
    agent.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true });
  });

  it("tell the version of the package", () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    for (const name of ["limiquantix-agent", "limiquantix-ctl"]) {
      const output = execFileSync(program(name), ["--version"], { env, encoding: "utf8" });
      assert.equal(output, `${version}\n`);
    }
  });

  it("run commands by the addon beside them", () => {
    assert.equal(ctl("exec", "--shell", "echo from the guest"), "from the guest\n");
  });

  it("load what is rare from beside them", () => {
    mkdirSync(at("tree/deep"), { recursive: true });
    writeFileSync(at("tree/deep/file"), "contents");
    ctl("cp", "-r", `:${at("tree")}`, at("copy")); // tar-stream
    assert.equal(readFileSync(at("copy/deep/file"), "utf8"), "contents");
    assert.match(ctl("info"), /Machine/); // systeminformation
  });

  it("are not told what to load by their environment", () => {
    writeFileSync(at("foreign.cjs"), "console.log('foreign')");
    const told = { ...env, NODE_OPTIONS: `--require ${at("foreign.cjs")}`, NODE_PATH: folder };
    for (const name of ["limiquantix-agent", "limiquantix-ctl"]) {
      const output = execFileSync(program(name), ["--version"], { env: told, encoding: "utf8" });
      assert.match(output, /^[\d.]+\n$/);
    }
  });

  it("tell nothing of where they were built", () => {
    for (const name of ["limiquantix-agent", "limiquantix-ctl"])
      assert.equal(readFileSync(program(name)).includes(process.cwd()), false, name);
  });

  it("load nothing that others could have changed", () => {
    cpSync(at("programs/limiquantix-agent"), at("open"), { recursive: true });
    const start = (): { status: number | null; stderr: string } =>
      spawnSync(at("open/limiquantix-agent"), ["--check-config", "--config", "/dev/null"], {
        env,
        encoding: "utf8",
      });
    for (const name of ["open", "open/limiquantix.node", "open/serialport.cjs"]) {
      chmodSync(at(name), 0o775);
      const { status, stderr } = start();
      assert.equal(status, 78);
      assert.match(
        stderr,
        new RegExp(`not started: others .* ${at(name)}; .*chmod -R go-w ${at("open")}\n$`),
      );
      chmodSync(at(name), 0o755);
    }
    assert.equal(start().status, 0);
  });

  it("answer at a serial line", async () => {
    const { fd, path: line } = addon.openPty();
    let answered = Buffer.alloc(0);
    const buffer = Buffer.alloc(64 * 1024);
    const host = new addon.Port({ fd }, () => undefined);
    const port = ["--port", `serial:${line}`, "--config", at("agent.yaml")];
    const atLine = spawn(program("limiquantix-agent"), port, { env, stdio: "ignore" });
    try {
      await until("agent_ready", () => {
        answered = Buffer.concat([answered, buffer.subarray(0, Math.max(0, host.read(buffer)))]);
        return answered.length > 4 && answered.length >= 4 + answered.readUInt32BE();
      });
      assert.equal(decodeEnvelope(answered.subarray(4, 4 + answered.readUInt32BE()))?.payload, "agentReady");
    } finally {
      const ended = once(atLine, "exit");
      atLine.kill("SIGTERM");
      await ended;
      host.close();
    }
  });
});

describe("the single executable for ARM", () => {
  const program = path.resolve("dist/executable/linux-arm64/limiquantix-agent/limiquantix-agent");
  const emulated = ["-L", "/usr/aarch64-linux-gnu", program];

  it("answers, and runs commands by the addon beside it", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "executable-arm64-"));
    const at = (name: string): string => path.join(folder, name);
    writeFileSync(at("agent.yaml"), `state_dir: ${at("state")}\n`);
    const args = ["--port", `unix-listen:${at("agent.sock")}`, "--config", at("agent.yaml")];
    const agent = spawn("qemu-aarch64-static", [...emulated, ...args], { stdio: "ignore" });
    const ended = once(agent, "exit");
    try {
      await until("the agent's socket", () => existsSync(at("agent.sock")), 60_000);
      const ctl = "dist/executable/linux-x64/limiquantix-ctl";
      const ask = (...words: string[]): string =>
        execFileSync(ctl, ["--socket", at("agent.sock"), ...words], { encoding: "utf8" });
      assert.match(ask("ping", "-c", "1"), /reply from/);
      assert.equal(ask("exec", "--shell", "echo from the guest"), "from the guest\n");
    } finally {
      agent.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true });
    }
  });
});
