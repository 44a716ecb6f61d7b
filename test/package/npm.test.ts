import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { until } from "../support/until.ts";

const run = promisify(execFile);

describe("the npm package", () => {
  let folder: string;
  /** Of a machine with Node.js and no compiler, and nothing of this clone. */
  let env: NodeJS.ProcessEnv;
  const at = (name: string): string => path.join(folder, name);
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "package-"));
    // Its scripts are what the suite has run already.
    await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder]);
    mkdirSync(at("bin"));
    for (const name of ["node", "npm", "npx", "sh", "env"]) {
      const place = execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
      symlinkSync(place, at(`bin/${name}`));
    }
    env = { PATH: at("bin"), HOME: folder };
    mkdirSync(at("app"));
    writeFileSync(at("app/package.json"), "{}");
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("carries the addon for each platform, and runs nothing when it is installed", async () => {
    const [tarball = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
    const registry = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
    await run("npm", ["install", "--registry", registry, at(tarball)], { cwd: at("app"), env });
    const installed = at("app/node_modules/limiquantix-guest-agent");
    for (const platform of ["linux-x64", "linux-arm64", "win32-x64"]) {
      assert.ok(existsSync(path.join(installed, "prebuilds", platform, "limiquantix.node")), platform);
    }
    assert.ok(!existsSync(path.join(installed, "build")));
    const { scripts } = JSON.parse(readFileSync(path.join(installed, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const name of ["preinstall", "install", "postinstall", "prepare"])
      assert.ok(!(name in scripts), name);
  });

  it("has an agent, a command-line tool and a host library that work without a compiler", async () => {
    const cwd = at("app");
    const socket = at("agent.sock");
    const agent = spawn(
      "npx",
      ["limiquantix-agent", "--port", `unix-listen:${socket}`, "--log-level", "error"],
      {
        ...{ cwd, env, stdio: "ignore", detached: true },
      },
    );
    try {
      await until("the agent's socket", () => existsSync(socket), 20_000);
      const script = at("app/ping.mjs");
      writeFileSync(
        script,
        `import { connect } from "limiquantix-guest-agent/host";
const client = await connect({ socket: process.argv[2] });
const { stdout } = await client.execute({ command: "echo from the guest" });
console.log(typeof (await client.ping()).roundTripMs, stdout.trim());
await client.close();
`,
      );
      const { stdout } = await run("node", [script, socket], { cwd, env });
      assert.equal(stdout, "number from the guest\n");
      const ctl = await run("npx", ["limiquantix-ctl", "--socket", socket, "--json", "ping", "-c", "1"], {
        cwd,
        env,
      });
      assert.match(ctl.stdout, /"version":"0\.\d+\.\d+"/);
    } finally {
      const ended = once(agent, "exit");
      process.kill(-(agent.pid ?? 0), "SIGTERM");
      await ended;
    }
  });
});
