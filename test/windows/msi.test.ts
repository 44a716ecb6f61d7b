import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { packMsi, rowsOf } from "../support/windows/msi.ts";
import { until } from "../support/until.ts";
import { WindowsTerminal, serveTerminal } from "../support/windows/terminal.ts";
import { type Ended, Wine, windowsPath } from "../support/windows/wine.ts";

/** ERROR_INSTALL_FAILURE, of which a byte is left here. */
const failed = 1603 & 0xff;

describe("the .msi", () => {
  let wine: Wine;
  let terminal: WindowsTerminal;
  let server: Server;
  let socket: string;
  let [older, again, newer] = ["", "", ""];
  let program: string;
  let data: string;

  const msiexec = async (...args: string[]): Promise<Ended & { log: string }> => {
    const log = path.join(wine.folder, "msi.log");
    const ended = await wine.start("msiexec", [...args, "/qn", "/l*v", windowsPath(log)]).ended;
    return { ...ended, log: existsSync(log) ? readFileSync(log, "utf8") : "" };
  };

  const succeeds = async (...args: string[]): Promise<void> => {
    const { code, stderr, log } = await msiexec(...args);
    assert.equal(code, 0, stderr + log);
  };

  const status = async (): Promise<Record<string, unknown>> => {
    const { stdout } = await wine.start(program, ["service", "status", "--json"]).ended;
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  const answers = async (): Promise<void> => {
    const client = await until("the service", () =>
      connect({ socket, timeoutSeconds: 5 }).catch(() => undefined),
    );
    await client.ping();
    await client.close();
  };

  /** A value of the registry, by the addon outside of what is installed. */
  const registry = async (key: string, name: string): Promise<unknown> => {
    const file = path.join(wine.folder, "registry.cjs");
    writeFileSync(
      file,
      "const [addon, key, name] = process.argv.slice(2);\n" +
        "console.log(JSON.stringify(require(addon).readRegistry(key, name) ?? null));",
    );
    const addon = windowsPath("prebuilds/win32-x64/limiquantix.node");
    const { stdout, stderr } = await wine.run([windowsPath(file), addon, key, name]);
    assert.equal(stderr, "");
    return JSON.parse(stdout) as unknown;
  };

  const service = "SYSTEM\\CurrentControlSet\\Services\\limiquantix-agent";
  const events = "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\limiquantix-agent";

  before(async () => {
    wine = await Wine.open();
    [older, again, newer] = await Promise.all([
      packMsi(path.join(wine.folder, "older.msi"), "1.2.3"),
      packMsi(path.join(wine.folder, "again.msi"), "1.2.3"),
      packMsi(path.join(wine.folder, "newer.msi"), "1.10.0"),
    ]);
    program = path.join(wine.driveC, "Program Files/LimiQuantix/limiquantix-agent.exe");
    data = path.join(wine.driveC, "ProgramData/LimiQuantix");
    terminal = new WindowsTerminal(wine, "org.limiquantix.agent.0");
    socket = path.join(wine.folder, "host.sock");
    server = await serveTerminal(terminal, socket);
  });
  after(async () => {
    server.close();
    terminal.close();
    await wine[Symbol.asyncDispose]();
  });

  it("is the same bytes from the same files", () => {
    assert.ok(readFileSync(older).equals(readFileSync(again)));
    rmSync(again);
  });

  it("says to Windows what Wine does not heed", () => {
    const actions = rowsOf(older, "CustomAction");
    // In a transaction, as SYSTEM; 0x100 is for what is run when it is undone.
    const [deferred, undoing, ignored] = [18 + 0x400 + 0x800, 0x100, 0x40];
    assert.deepEqual(actions.map(([name, type]) => [name, Number(type)]).sort(), [
      ["ConfigureService", deferred],
      ["RemoveState", deferred + ignored],
      ["RestoreService", deferred + undoing + ignored],
      ["UndoService", deferred + undoing + ignored],
    ]);
    const sequence = rowsOf(older, "InstallExecuteSequence");
    const order = sequence.sort(([, , a], [, , b]) => Number(a) - Number(b)).map(([name]) => name);
    const inOrder = (...names: string[]): void => {
      assert.deepEqual(
        order.filter((name = "") => names.includes(name)),
        names,
      );
    };
    inOrder("InstallInitialize", "RemoveExistingProducts", "InstallFiles", "InstallFinalize");
    inOrder("StopServices", "RestoreService", "DeleteServices", "RemoveState", "RemoveFiles");
    inOrder("InstallFiles", "InstallServices", "UndoService", "ConfigureService", "StartServices");
    const conditions = new Map(sequence.map(([name, condition]) => [name, condition]));
    assert.equal(conditions.get("RemoveState"), 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE');
    assert.equal(conditions.get("UndoService"), "NOT Installed AND NOT OLDERFOUND");
    assert.ok(rowsOf(older, "LaunchCondition").some(([text]) => text?.includes("WINDOWSBUILD >= 17763")));
  });

  it("leaves no service when the agent refuses its folder", async () => {
    writeFileSync(data, "not a folder");
    const { code, log } = await msiexec("/i", windowsPath(older));
    rmSync(data);
    assert.notEqual(code, 0);
    assert.match(log, /ConfigureService\. Return value [03]/);
    assert.equal(await registry(service, "ImagePath"), null);
    assert.equal(await registry(events, "EventMessageFile"), null);
    assert.ok(!existsSync(path.dirname(program)));
  });

  it("installs a service that starts with the system, runs and answers its host", async () => {
    await succeeds("/i", windowsPath(older));
    assert.deepEqual(
      readdirSync(path.dirname(program)).sort(),
      readdirSync("dist/executable/win32-x64/limiquantix-agent").sort(),
    );
    const { state, startType } = await status();
    assert.deepEqual([state, startType], ["running", "automatic"]);
    assert.equal(
      await registry(service, "ImagePath"),
      '"C:\\Program Files\\LimiQuantix\\limiquantix-agent.exe" "--service"',
    );
    assert.match(String(await registry(events, "EventMessageFile")), /EventCreate\.exe/i);
    await answers();
  });

  it("is upgraded, with the config that an administrator has made, and answers again", async () => {
    writeFileSync(path.join(data, "agent.yaml"), "log_level: debug\n");
    const { pid } = await status();
    await succeeds("/i", windowsPath(newer));
    const now = await status();
    assert.equal(now["state"], "running");
    assert.notEqual(now["pid"], pid);
    assert.equal(readFileSync(path.join(data, "agent.yaml"), "utf8"), "log_level: debug\n");
    await answers();
  });

  it("does not go back to an older one", async () => {
    const { code } = await msiexec("/i", windowsPath(older));
    assert.equal(code, failed);
    assert.equal((await status())["state"], "running");
  });

  it("repairs what is broken", async () => {
    const addon = path.join(path.dirname(program), "limiquantix.node");
    await wine.start(program, ["service", "stop"]).ended;
    rmSync(addon);
    await succeeds("/i", windowsPath(newer), "REINSTALL=ALL"); // what /fa is short for, which Wine has not
    assert.ok(existsSync(addon));
    assert.equal((await status())["state"], "running");
    await answers();
  });

  it("is removed while it runs, and leaves nothing but the config", async () => {
    mkdirSync(path.join(data, "state"), { recursive: true });
    await succeeds("/x", windowsPath(newer));
    assert.ok(!existsSync(path.dirname(program)));
    assert.equal(await registry(service, "ImagePath"), null);
    assert.equal(await registry(events, "EventMessageFile"), null);
    assert.deepEqual(readdirSync(data), ["agent.yaml"]);
    await assert.rejects(connect({ socket, timeoutSeconds: 1 }));
  });
});
