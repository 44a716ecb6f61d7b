import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { until } from "../support/until.ts";
import { AgentOnDevice } from "../support/windows/agent-on-device.ts";
import { buildProbe } from "../support/windows/probe.ts";

describe("a guest with Windows and a list of commands", () => {
  it("compares programs as files, whatever they are called", async () => {
    const agent = await AgentOnDevice.start("security:\n  command_blocklist: [CMD]\n");
    const client = await agent.connect();
    try {
      for (const command of [
        "cmd",
        "cMd.ExE",
        "C:\\WINDOWS\\system32\\cmd",
        "c:/windows/system32/../SYSTEM32/cmd.exe",
      ]) {
        await assert.rejects(client.execute({ command, args: ["/c", "ver"] }), /QXGA-3004/, command);
      }
      await assert.rejects(client.execute({ command: "ver" }), /QXGA-3004/);
      await assert.rejects(
        client.execute({ command: "winver", args: ["x"], env: { pathext: ".x" } }),
        /QXGA-3004/,
      );
      const { exitCode } = await client.execute({ command: "xcopy", args: ["/?"] });
      assert.equal(typeof exitCode, "number");
    } finally {
      await client.close();
      await agent[Symbol.asyncDispose]();
    }
  });
});

describe("an agent on Windows that is killed", () => {
  it("takes its commands with it, but those that were to outlive it", async () => {
    const agent = await AgentOnDevice.start();
    const probe = buildProbe(agent.wine);
    const client = await agent.connect();
    try {
      const command = await client.spawn({ command: probe, args: ["chain", "1"], stdin: false });
      command.exit.catch(() => undefined); // the connection is lost
      let text = "";
      command.stdout.setEncoding("utf8").on("data", (data: string) => (text += data));
      command.stdout.on("error", () => undefined);
      await until("two processes", () => text.trim().split(/\s+/).length === 2);
      await client.execute({ command: probe, args: ["chain", "2"], detach: true });
      agent.process.kill();
      await until("three that are left", async () => {
        const { stdout } = await agent.wine.start(path.join(agent.wine.folder, "probe.exe"), ["processes"])
          .ended;
        // Itself is one of them.
        return stdout.split("probe.exe").length - 1 === 3 + 1;
      });
    } finally {
      await client.close();
      await agent[Symbol.asyncDispose]();
    }
  });
});
