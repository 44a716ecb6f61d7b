import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import { WindowsTerminal, serveTerminal } from "../support/windows/terminal.ts";
import { Wine, windowsPath } from "../support/windows/wine.ts";

it("the service of Windows answers its host, with what the system tells, and lets go of it when it stops", async () => {
  await using wine = await Wine.open();
  const terminal = new WindowsTerminal(wine, "org.limiquantix.agent.0");
  const socket = path.join(wine.folder, "host.sock");
  const server = await serveTerminal(terminal, socket);
  const service = async (...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await wine.run([windowsPath("dist/bin/agent.cjs"), "service", ...args]);
    assert.equal(code, 0, stdout + stderr);
  };
  try {
    const logs = path.join(wine.driveC, "logs");
    mkdirSync(logs);
    const config = path.join(wine.driveC, "agent.yaml");
    writeFileSync(config, "log_file: C:\\logs\\agent.log\nlog_max_size_bytes: 4096\nlog_max_files: 3\n");
    await service("install", "--config", windowsPath(config));
    await service("start");
    const client = await until("the service", () => connect({ socket }).catch(() => undefined));
    try {
      await client.ping();
      const { osName, osVersion, kernelVersion } = await client.ready();
      assert.match(osName, /Windows/);
      assert.notEqual(osVersion, "");
      assert.match(kernelVersion, /^10\.0\.\d+/);
      const report = await client.telemetry();
      assert.ok(report.memoryTotalBytes > report.memoryUsedBytes && report.memoryUsedBytes > 0);
      assert.ok(report.disks.some(({ mountPoint }) => mountPoint === "C:\\"));
      assert.ok(report.uptimeSeconds > 0 && report.processCount > 0);
      const { features } = await client.capabilities();
      assert.ok("virtual" in features);
    } finally {
      await client.close();
    }
    // Each host that comes and goes is two lines.
    await until("the log to be rotated", async () => {
      await (await connect({ socket })).close();
      return readdirSync(logs).length === 3;
    });
    await service("stop");
    await assert.rejects(connect({ socket, timeoutSeconds: 1 }));
    await service("uninstall");
  } finally {
    server.close();
    terminal.close();
  }
});
