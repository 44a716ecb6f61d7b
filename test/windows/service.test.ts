import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { until } from "../support/until.ts";
import { type Ended, Wine, windowsPath } from "../support/windows/wine.ts";

const name = "limiquantix-agent";

interface Status {
  installed: boolean;
  state?: string;
  pid?: number;
  exitCode?: number;
  ownExitCode?: number;
  startType?: string;
  commandLine?: string;
}

describe("the agent as a service of Windows", () => {
  let wine: Wine;
  let folder: string;
  let config: string;
  let log: string;

  /** Runs JavaScript with the addon at hand. */
  const evaluate = (script: string): Promise<Ended> => {
    const file = path.join(wine.folder, "evaluate.cjs");
    writeFileSync(file, `const addon = require(process.argv[2]);\n(async () => {${script}})();`);
    return wine.run([
      windowsPath(file),
      windowsPath(path.join(folder, "prebuilds/win32-x64/limiquantix.node")),
    ]);
  };

  /** The program as it is installed: renamed, with a space in its path. */
  const agent = (...args: string[]): Promise<Ended> =>
    wine.start(path.join(folder, "limiquantix-agent.exe"), [
      windowsPath(path.join(folder, "dist/bin/agent.cjs")),
      ...args,
    ]).ended;

  const service = async (...args: string[]): Promise<Ended> => {
    const ended = await agent("service", ...args);
    assert.deepEqual([ended.code, ended.stderr], [0, ""], ended.stdout);
    return ended;
  };

  const status = async (): Promise<Status> =>
    JSON.parse((await agent("service", "status", "--json")).stdout) as Status;

  const logged = (message: string): boolean =>
    existsSync(log) && readFileSync(log, "utf8").includes(`"msg":"${message}"`);

  before(async () => {
    wine = await Wine.open();
    folder = path.join(wine.driveC, "Program Files", "LimiQuantix Agent");
    mkdirSync(folder, { recursive: true });
    cpSync(wine.node, path.join(folder, "limiquantix-agent.exe"));
    cpSync("dist/bin", path.join(folder, "dist/bin"), { recursive: true });
    cpSync("prebuilds/win32-x64", path.join(folder, "prebuilds/win32-x64"), { recursive: true });
    log = path.join(wine.driveC, "agent.log");
    config = path.join(wine.driveC, "agent.yaml");
    writeFileSync(config, "log_file: C:\\agent.log\n");
  });
  after(() => wine[Symbol.asyncDispose]());

  it("is refused to whoever asks for what there is not", async () => {
    const missing = await agent("service", "start");
    assert.equal(missing.code, 4);
    assert.match(missing.stderr, /not started: it is not installed; .*service install/);
    const nonsense = await agent("service", "restart");
    assert.equal(nonsense.code, 64);
    const port = await agent("service", "start", "--port", "auto");
    assert.equal(port.code, 64);
    assert.equal((await agent("service", "install", "--remove-state")).code, 64);
    const broken = path.join(wine.driveC, "broken.yaml");
    writeFileSync(broken, "log_fiel: C:\\agent.log\n");
    const wrong = await agent("service", "install", "--config", windowsPath(broken));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /QXGA-9002.*\n.*log_fiel: no such key/);
    assert.deepEqual(await status(), { installed: false });
  });

  it("is not what somebody starts with --service himself", async () => {
    const { code, stderr } = await agent("--service");
    assert.equal(code, 64);
    assert.match(stderr, /only the service manager may start it so.*\(Windows error 1063\)/);
  });

  it("is installed, also when it is there", async () => {
    await service("install");
    await service("install", "--config", windowsPath(config), "--port", "auto", "--json");
    const { state, pid, startType, commandLine } = await status();
    assert.deepEqual([state, pid, startType], ["stopped", 0, "automatic"]);
    const program = "C:\\Program Files\\LimiQuantix Agent\\";
    // The first is what Windows says that it is; the second what it was started with.
    assert.equal(
      commandLine?.replaceAll(windowsPath(folder), program.slice(0, -1)),
      [
        `${program}limiquantix-agent.exe`,
        `${program}dist\\bin\\agent.cjs`,
        "--service",
        "--config",
        windowsPath(config),
        "--port",
        "auto",
      ]
        .map((argument) => `"${argument}"`)
        .join(" "),
    );
    const key = `SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${name}`;
    const { stdout } = await evaluate(
      `console.log(addon.readRegistry(${JSON.stringify(key)}, "EventMessageFile"))`,
    );
    assert.match(stdout, /EventCreate\.exe/);
  });

  it("starts, and tells when it runs", async () => {
    await service("start");
    const { state, pid = 0 } = await status();
    assert.equal(state, "running");
    assert.ok(pid > 0);
    await until("the log", () => logged("limiquantix-agent starts"));
    await service("start"); // it does already
    assert.equal((await status()).pid, pid);
  });

  it("stops within a second, by itself", async () => {
    const { code, stdout, stderr } = await evaluate(`
      const { pid } = addon.queryService("${name}");
      const began = performance.now();
      addon.stopService("${name}");
      while (addon.queryService("${name}").state !== "stopped") await new Promise(setImmediate);
      const stoppedMs = performance.now() - began;
      const lives = () => { try { return process.kill(pid, 0); } catch { return false; } };
      while (lives()) await new Promise(setImmediate);
      console.log(JSON.stringify({ stoppedMs, endedMs: performance.now() - began }));
    `);
    assert.equal(code, 0, stderr);
    const { stoppedMs, endedMs } = JSON.parse(stdout) as { stoppedMs: number; endedMs: number };
    assert.ok(logged("limiquantix-agent stops"), "it was ended, and did not stop");
    assert.ok(stoppedMs < 1000, `${stoppedMs} ms`);
    assert.ok(endedMs < 1000, `${endedMs} ms`);
    const { state, exitCode } = await status();
    assert.deepEqual([state, exitCode], ["stopped", 0]);
    await service("stop"); // it has already
  });

  it("starts again when it was killed", async () => {
    await service("start");
    const { pid } = await status();
    const { code, stderr } = await evaluate(`process.kill(${pid}, "SIGKILL")`);
    assert.equal(code, 0, stderr);
    await service("start"); // Wine's manager sees only now that it has ended, and restarts nothing by itself
    assert.notEqual((await status()).pid, pid);
    await service("stop");
  });

  it("says why it does not start", async () => {
    writeFileSync(config, "log_file: 3\n");
    const { code, stderr } = await agent("service", "start");
    writeFileSync(config, "log_file: C:\\agent.log\n");
    assert.equal(code, 1);
    assert.match(stderr, /it stopped at once \(exit code 78\)/);
    const { exitCode, ownExitCode } = await status();
    assert.deepEqual([exitCode, ownExitCode], [1066, 78]); // a failure, upon which Windows starts it again
  });

  it("is ended when it hangs, and has stopped then", async () => {
    const stuck = path.join(folder, "stuck.cjs");
    writeFileSync(
      stuck,
      `const addon = require("./prebuilds/win32-x64/limiquantix.node");
       addon.runService("${name}", (event) => {
         if (event === "start") addon.serviceRunning();
         else for (;;);
       });`,
    );
    const commandLine = `"${windowsPath(path.join(folder, "limiquantix-agent.exe"))}" "${windowsPath(stuck)}"`;
    const { code, stderr } = await evaluate(`
      addon.installService({ name: "${name}", displayName: "x", description: "x", commandLine: ${JSON.stringify(commandLine)},
        restartDelaysMs: [1000], failuresResetSeconds: 1, preshutdownMs: 1000 });
    `);
    assert.equal(code, 0, stderr);
    await service("start");
    const { pid = 0 } = await status();
    assert.ok(pid > 0);
    await service("stop"); // waits until the process has ended
    const { state, exitCode } = await status();
    assert.deepEqual([state, exitCode], ["stopped", 0]); // no failure: it was to stop
    await service("install", "--config", windowsPath(config));
  });

  it("is uninstalled while it runs, leaves nothing in the registry and lets go of its program", async () => {
    await service("start");
    await service("uninstall");
    assert.deepEqual(await status(), { installed: false });
    const keys = [
      [`SYSTEM\\CurrentControlSet\\Services\\${name}`, "ImagePath"],
      [`SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${name}`, "EventMessageFile"],
    ];
    const program = windowsPath(path.join(folder, "limiquantix-agent.exe"));
    const file = path.join(wine.folder, "leftovers.cjs");
    writeFileSync(
      file,
      `const addon = require(process.argv[2]);
       require("node:fs").unlinkSync(${JSON.stringify(program)});
       console.log(JSON.stringify(${JSON.stringify(keys)}.map(([key, value]) => addon.readRegistry(key, value) ?? "none")));`,
    );
    // By another copy: nobody can remove the program that he is.
    const { code, stdout, stderr } = await wine.run([
      windowsPath(file),
      windowsPath("prebuilds/win32-x64/limiquantix.node"),
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), ["none", "none"]);
    assert.ok(!existsSync(path.join(folder, "limiquantix-agent.exe")));
  });
});
