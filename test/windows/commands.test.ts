import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import type { Client } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import { AgentOnDevice } from "../support/windows/agent-on-device.ts";
import { buildProbe } from "../support/windows/probe.ts";
import { windowsPath } from "../support/windows/wine.ts";

const drive = "C:\\";

describe("commands of a guest with Windows", () => {
  let agent: AgentOnDevice;
  let client: Client;
  let probe: string;
  let node: string;

  before(async () => {
    agent = await AgentOnDevice.start();
    probe = buildProbe(agent.wine);
    client = await agent.connect();
    node = windowsPath(agent.wine.node);
  });
  after(async () => {
    await client.close();
    await agent[Symbol.asyncDispose]();
  });

  /** What a line prints, without the spaces around it. */
  async function line(
    command: string,
    options: Partial<Parameters<Client["execute"]>[0]> = {},
  ): Promise<string> {
    const result = await client.execute({ command, ...options });
    return result.stdout.trim();
  }

  async function run(...args: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await client.execute({ command: probe, args });
    assert.deepEqual([exitCode, stderr], [0, ""]);
    return stdout;
  }

  async function processes(): Promise<{ pid: number; name: string }[]> {
    const rows = [...(await run("processes")).matchAll(/^(\d+) (.*?)\r?$/gm)];
    return rows.map(([, pid, name = ""]) => ({ pid: Number(pid), name }));
  }

  it("tell their output, errors and exit code apart", async () => {
    const result = await client.execute({ command: "echo out& echo err>&2& exit 3" });
    assert.deepEqual([result.stdout, result.stderr, result.exitCode], ["out\r\n", "err\r\n", 3]);
    assert.equal((await client.execute({ command: "exit -5" })).exitCode, -5);
  });

  it("have the folder and the variables that they are given, in one spelling", async () => {
    const script = `console.log(JSON.stringify([process.cwd(), process.env.a, process.env.SystemRoot, Object.keys(process.env).filter((name) => /^path$/i.test(name)).length]))`;
    const { stdout } = await client.execute({
      command: node,
      args: ["-e", script],
      cwd: "C:\\windows",
      env: { A: "ünï", Path: "C:\\windows" },
    });
    assert.deepEqual(JSON.parse(stdout), ["C:\\windows", "ünï", "C:\\windows", 1]);
    await assert.rejects(client.execute({ command: "cd", cwd: "\\windows" }), /QXGA-3008/);
    await assert.rejects(client.execute({ command: "cd", cwd: "C:\\nowhere" }), /QXGA-3008/);
  });

  it("get their arguments exactly", async () => {
    const nasty = [
      "",
      " ",
      'a"b',
      "\\",
      'c\\"d',
      "e f\\",
      "\\\\g h\\\\",
      "%PATH%",
      "^&|<>",
      "ünï😀",
      "*",
      "\t",
      "'x'",
      '"',
      '\\"',
    ];
    const random = Array.from({ length: 40 }, () =>
      Array.from(randomBytes(8), (byte) => ' \t"\\"\\ aé%^&!'[byte % 14] ?? "x").join(""),
    );
    const args = [...nasty, ...random];
    const rows = (await run("arguments", ...args)).split("\r\n").slice(0, -1);
    const got = rows.map((row) =>
      String.fromCharCode(...(row.match(/.{4}/g) ?? []).map((unit) => parseInt(unit, 16))),
    );
    assert.deepEqual(got, args);
  });

  it("run batch files with arguments that mean nothing to cmd.exe, and no others", async () => {
    const file = path.join(agent.wine.driveC, "say.bat");
    writeFileSync(file, "@echo off\r\necho [%1] [%2]\r\n");
    const { stdout } = await client.execute({ command: "C:\\say", args: ["a & b", "c|d"] });
    assert.equal(stdout, '["a & b"] ["c|d"]\r\n');
    await assert.rejects(
      client.execute({ command: "C:\\say.bat", args: ['" & echo pwned'] }),
      /QXGA-2001.*batch file/,
    );
  });

  it("say why they cannot be started", async () => {
    await assert.rejects(client.execute({ command: "nowhere", args: ["x"] }), /QXGA-3001/);
    await assert.rejects(
      client.execute({ command: "C:\\windows\\win.ini", args: ["x"] }),
      /QXGA-3009.*no program/,
    );
    await assert.rejects(client.execute({ command: "\\\\host\\share\\x.exe", args: ["x"] }), /QXGA-3001/);
    await assert.rejects(client.execute({ command: "echo 1\necho 2" }), /QXGA-2001.*one line/);
    await assert.rejects(client.execute({ command: "ver", user: "no-such-user" }), /QXGA-3005/);
    await assert.rejects(
      client.execute({ command: "ver", group: "staff" }),
      /QXGA-3006.*leave the group out/,
    );
  });

  it("print in UTF-8, or in the machine's code page", async () => {
    assert.match(await line("chcp"), /65001/);
    const inOem = `process.stdout.write(Buffer.from([0x84, 0x94]))`;
    assert.equal((await client.execute({ command: node, args: ["-e", inOem] })).stdout, "äö");
  });

  it("keep the first of much output, and go on", async () => {
    const script = `for (let i = 0; i < 300; i++) require("fs").writeSync(1, "x".repeat(10000)); require("fs").writeSync(2, "end")`;
    const result = await client.execute({ command: node, args: ["-e", script], maxOutputBytes: 1000 });
    assert.deepEqual(
      [result.stdout.length, result.truncated, result.stderr, result.exitCode],
      [1000, true, "end", 0],
    );
  });

  it("end with all that they have started when their time is over", async () => {
    const started = performance.now();
    const result = await client.execute({ command: probe, args: ["chain", "3"], timeoutSeconds: 1 });
    assert.deepEqual([result.timedOut, result.exitCode], [true, -1]);
    assert.ok(performance.now() - started < 8_000);
    const pids = result.stdout.trim().split(/\s+/).map(Number);
    assert.equal(pids.length, 4);
    const left = (await processes()).filter(({ pid }) => pids.includes(pid));
    assert.deepEqual(left, [], "gone before the answer");
  });

  it("are asked to end before they are made to", async () => {
    const command = await client.spawn({ command: probe, args: ["event"], stdin: false });
    let text = "";
    command.stdout.setEncoding("utf8").on("data", (data: string) => (text += data));
    await until("it waits", () => text.includes("waiting"));
    await command.signal("SIGTERM");
    // 40 and the event's number: Wine has no CTRL_BREAK.
    assert.equal((await command.exit).exitCode, 40);
    assert.match(text, /event 0/);
    await assert.rejects(
      client
        .spawn({ command: probe, args: ["event"] })
        .then((other) => other.signal(10).finally(() => other.kill())),
      /Windows has no signal 10/,
    );
  });

  it("go on without their host when that was asked for", async () => {
    const marker = path.join(agent.wine.driveC, "marker.txt");
    const result = await client.execute({
      command: `ping -n 1 127.0.0.1 >nul & echo done>${drive}marker.txt`,
      detach: true,
    });
    assert.equal(result.exitCode, 0);
    await until("the detached command's mark", () => existsSync(marker));
  });

  it("leave neither processes nor handles", async () => {
    const pid = Number((await processes()).filter(({ name }) => name === "node.exe")[0]?.pid);
    const count = async () => Number((await run("handles", String(pid))).split(" ")[0]);
    const burst = async () => {
      for (let i = 0; i < 10; i++) {
        await Promise.all(
          Array.from({ length: 5 }, () =>
            client.execute({ command: probe, args: ["arguments", "x"], timeoutSeconds: 20 }),
          ),
        );
      }
    };
    await burst(); // threads of pools and what they hold are made once
    const before = await count();
    await burst();
    await burst();
    await until("the handles that there were", async () => (await count()) <= before + 3, 20_000);
    await until(
      "no process of them",
      async () => (await processes()).filter(({ name }) => name === "probe.exe").length === 1,
    );
  });

  describe("that are live", () => {
    it("take input with backpressure, and its end", async () => {
      const bytes = randomBytes(2_000_000);
      const command = await client.spawn({
        command: node,
        args: ["-e", "process.stdin.pipe(process.stdout)"],
      });
      assert.ok(command.stdin);
      const got: Buffer[] = [];
      command.stdout.on("data", (data: Buffer) => got.push(data));
      command.stdin.end(bytes);
      assert.equal((await command.exit).exitCode, 0);
      await until("all of it", () => Buffer.concat(got).length === bytes.length);
      assert.ok(Buffer.concat(got).equals(bytes));
    });

    it("are killed with all that they have started", async () => {
      const command = await client.spawn({ command: probe, args: ["chain", "2"], stdin: false });
      let text = "";
      command.stdout.setEncoding("utf8").on("data", (data: string) => (text += data));
      await until("three processes", () => text.trim().split(/\s+/).length === 3);
      await command.signal("SIGKILL");
      const exit = await command.exit;
      assert.equal(exit.signal, 9);
      const pids = text.trim().split(/\s+/).map(Number);
      await until("none of them", async () => (await processes()).every(({ pid }) => !pids.includes(pid)));
    });

    it("end with their host, or are kept for the next", async () => {
      await client.close(); // one host at a time
      const first = await agent.connect();
      const killed = await first.spawn({ command: probe, args: ["chain", "1"], stdin: false });
      const kept = await first.spawn({
        command: node,
        args: ["-e", `console.log("kept"); process.stdin.pipe(process.stdout)`],
        onDisconnect: "keep",
      });
      await first.close();
      const second = await agent.connect();
      try {
        const attached = await second.attach(kept.execId);
        let text = "";
        attached.stdout.setEncoding("utf8").on("data", (data: string) => (text += data));
        attached.stdin?.end("more");
        assert.equal((await attached.exit).exitCode, 0);
        await until("its output", () => text === "kept\nmore");
        await until("the end of the other", async () => {
          const { stdout } = await second.execute({ command: probe, args: ["processes"] });
          return !stdout.includes(`${killed.pid} `);
        });
      } finally {
        await second.close();
      }
      client = await agent.connect();
    });

    it("have a terminal, which can be resized", async () => {
      // Wine gives a terminal's program no handles of it.
      const command = await client.spawn({
        command: `cmd.exe <CONIN$ >CONOUT$ 2>&1`,
        shell: true,
        terminal: { columns: 90, rows: 20 },
      });
      let text = "";
      command.stdout.setEncoding("utf8").on("data", (data: string) => (text += data));
      await until("a prompt", () => text.includes(">"), 20_000);
      command.stdin?.write("echo a%OS%b\r");
      await until("an answer", () => text.includes("aWindows_NTb"), 20_000);
      await command.resize({ columns: 100, rows: 30 });
      command.stdin?.write("exit 7\r");
      assert.equal((await command.exit).exitCode, 7);
    });
  });
});
