import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import { WindowsTerminal, serveTerminal } from "../support/windows/terminal.ts";
import { type Ended, Wine, type WineProcess, windowsPath } from "../support/windows/wine.ts";

const device = "org.limiquantix.agent.0";

describe("the single executable for Windows", () => {
  let wine: Wine;
  let program: string;
  const run = (...args: string[]): Promise<Ended> => wine.start(program, args).ended;

  before(async () => {
    wine = await Wine.open();
    const folder = path.join(wine.driveC, "Program Files", "LimiQuantix Agent");
    mkdirSync(folder, { recursive: true });
    cpSync("dist/executable/win32-x64/limiquantix-agent", folder, { recursive: true });
    program = path.join(folder, "limiquantix-agent.exe");
  });
  after(() => wine[Symbol.asyncDispose]());

  it("tells the version of the package", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    assert.deepEqual(await run("--version"), { code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("is what its service starts", async () => {
    const { code, stderr } = await run("service", "install");
    assert.deepEqual([code, stderr], [0, ""]);
    const { commandLine } = JSON.parse((await run("service", "status", "--json")).stdout) as {
      commandLine: string;
    };
    assert.equal(commandLine, `"C:\\Program Files\\LimiQuantix Agent\\limiquantix-agent.exe" "--service"`);
  });

  it("answers at its port, and runs commands by the addon beside it", async () => {
    const socket = path.join(wine.folder, "host.sock");
    const config = path.join(wine.driveC, "agent.yaml");
    writeFileSync(config, "state_dir: C:\\state\n");
    const terminal = new WindowsTerminal(wine, device);
    const server: Server = await serveTerminal(terminal, socket);
    let agent: WineProcess | undefined;
    try {
      agent = wine.start(program, ["--config", windowsPath(config)]);
      await until("the port", () => agent?.stderr.includes("the port is open"), 30_000);
      const client = await connect({ socket });
      const { exitCode, stdout } = await client.execute({ command: "echo from the guest" });
      assert.deepEqual([exitCode, stdout.trim()], [0, "from the guest"]);
      await client.close();
    } finally {
      agent?.kill();
      server.close();
      terminal.close();
    }
  });
});
