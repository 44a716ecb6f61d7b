import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
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
});
