import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { addon } from "../../src/native/addon.ts";
import { NotifySocket } from "../support/notify-socket.ts";
import { RawHost } from "../support/raw-host.ts";
import { until } from "../support/until.ts";

let folder = "";
let agent: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "notify-"));
});
afterEach(async () => {
  if (agent?.exitCode === null && agent.signalCode === null) {
    const ended = once(agent, "exit");
    agent.kill("SIGKILL");
    await ended;
  }
  rmSync(folder, { recursive: true });
});

const port = (): string => path.join(folder, "agent.sock");
const log = (): string => readFileSync(path.join(folder, "log"), "utf8");

/** The real agent as systemd starts it: its standard error is the file `log`, and counts as the journal's. */
function start(environment: Record<string, string>, config = ""): void {
  writeFileSync(path.join(folder, "agent.yaml"), `state_dir: ${folder}/state\n${config}`);
  const journal = openSync(path.join(folder, "log"), "a");
  const { dev, ino } = fstatSync(journal, { bigint: true });
  const args = ["--config", path.join(folder, "agent.yaml"), "--port", `unix-listen:${port()}`];
  agent = spawn(
    "setpriv",
    [
      "--bounding-set=-sys_admin,-sys_boot,-sys_time",
      process.execPath,
      path.resolve("dist/bin/agent.cjs"),
      ...args,
    ],
    {
      stdio: ["ignore", "ignore", journal],
      env: { ...process.env, JOURNAL_STREAM: `${dev}:${ino}`, ...environment },
    },
  );
  closeSync(journal);
}

/** Waits for a datagram with this line. */
async function told(manager: NotifySocket, line: string): Promise<void> {
  await until(`${line} in ${JSON.stringify(manager.messages)}`, () =>
    manager.messages.some((message) => message.split("\n").includes(line)),
  );
}

describe("a service manager", () => {
  it("is told that the agent runs, how it stands with its host, and that it stops", async () => {
    await using manager = await NotifySocket.bind(`@notify-${process.pid}-${Date.now()}`);
    start({ NOTIFY_SOCKET: manager.name });
    await told(manager, "READY=1");
    assert.match(manager.messages[0] ?? "", /^READY=1$/);
    await told(manager, `STATUS=waiting for the port (unix-listen:${port()})`);
    const host = await RawHost.connect(port());
    await told(manager, `STATUS=a host is attached (unix-listen:${port()})`);
    const command = "cat /proc/self/environ; env";
    const { executeResponse } = await host.ask({ execute: { command, waitForExit: true } });
    assert.match(executeResponse?.stdout ?? "", /HOME=/);
    assert.doesNotMatch(executeResponse?.stdout ?? "", /NOTIFY_SOCKET|JOURNAL_STREAM/);
    assert.ok(!manager.messages.some((message) => message.includes("WATCHDOG")));
    host.close();
    agent?.kill("SIGTERM");
    await told(manager, "STOPPING=1");
  });

  it("is not kept busy by a host that comes and goes", async () => {
    await using manager = await NotifySocket.bind(path.join(folder, "notify"));
    start({ NOTIFY_SOCKET: manager.name });
    await told(manager, "READY=1");
    const begun = performance.now();
    for (let i = 0; i < 50; i++) {
      const host = await RawHost.connect(port());
      await host.until("agentReady");
      host.close();
    }
    await until("the last state", () => manager.messages.at(-1)?.includes("waiting for the port"));
    const seconds = (performance.now() - begun) / 1000;
    assert.ok(manager.messages.length <= 5 + 2 * seconds, `${manager.messages.length} in ${seconds} s`);
  });

  it("hears twice in the watchdog's time that the agent is not stuck, and nothing while it is", async () => {
    await using manager = await NotifySocket.bind(path.join(folder, "notify"));
    start({ NOTIFY_SOCKET: manager.name, WATCHDOG_USEC: "1000000" });
    const beats = (): number[] => manager.times.filter((_, i) => manager.messages[i] === "WATCHDOG=1");
    const [first = 0, , , fourth = 0] = await until("four", () => beats().length >= 4 && beats());
    assert.ok(fourth - first > 1300 && fourth - first < 2500, `${fourth - first} ms for three`);
    agent?.kill("SIGSTOP");
    const stopped = performance.now();
    await until("two seconds", () => performance.now() - stopped > 2000);
    assert.ok(beats().filter((time) => time > stopped + 300).length === 0);
    agent?.kill("SIGCONT");
    const count = beats().length;
    await until("another one", () => beats().length > count);
  });

  it("does not hear from an agent whose watchdog is another's", async () => {
    await using manager = await NotifySocket.bind(path.join(folder, "notify"));
    start({ NOTIFY_SOCKET: manager.name, WATCHDOG_USEC: "100000", WATCHDOG_PID: "1" });
    await told(manager, `STATUS=waiting for the port (unix-listen:${port()})`);
    const host = await RawHost.connect(port());
    await told(manager, `STATUS=a host is attached (unix-listen:${port()})`);
    host.close();
    assert.ok(!manager.messages.some((message) => message.includes("WATCHDOG")), manager.messages.join());
  });

  it("is waited for by nobody: it has ended, or does not read", async () => {
    const full = path.join(folder, "full");
    {
      await using manager = await NotifySocket.bind(full);
      process.kill(manager.pid, "SIGSTOP");
      let sent = 0;
      await until("its queue to be full", () => sent++ > 100_000 || !addon.notify(full, "x"));
      assert.ok(sent < 100_000);
      start({ NOTIFY_SOCKET: full });
      await until("the port", () =>
        RawHost.connect(port()).then(
          (host) => {
            host.close();
            return true;
          },
          () => false,
        ),
      );
      process.kill(manager.pid, "SIGCONT");
      await told(manager, "READY=1"); // which had no room before
    }
    assert.throws(() => addon.notify(full, "x"), { code: "ECONNREFUSED", syscall: "sendto" });
    assert.throws(() => addon.notify(path.join(folder, "none"), "x"), { code: "ENOENT" });
    assert.throws(() => addon.notify(`/${"x".repeat(200)}`, "x"), { code: "ENAMETOOLONG" });
    assert.throws(() => addon.notify("", "x"), { code: "EINVAL" });
    const host = await RawHost.connect(port());
    await until("the complaint", () => log().includes("<4>the service manager could not be told"));
    host.close();
  });
});

describe("the journal", () => {
  it("gets lines with priorities, and records of the audit", async () => {
    start({}, "security: {audit_logging: true}\n");
    await until("the port", () => existsSync(port()));
    const host = await RawHost.connect(port());
    await host.ask({ execute: { command: "/no/such\n<0>file", args: ["x"], waitForExit: true } });
    const lines = log().trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^<5>\{.*"operation":"agent_start"/);
    assert.match(lines[1] ?? "", /^<6>limiquantix-agent starts version=\S+ port=unix-listen:\S+ pid=\d+$/);
    for (const line of lines) assert.match(line, /^<[3-7]>./);
    const record = await until("the record", () =>
      lines.find((line) => line.includes('"operation":"execute"')),
    );
    assert.match(JSON.stringify(JSON.parse(record.slice(3))), /<0>file/);
    host.close();
  });

  it("has an error when the agent does not start", async () => {
    start({}, "telemetry_interval_secs: never\n");
    if (agent) await once(agent, "exit");
    assert.equal(agent?.exitCode, 78);
    for (const line of log().trimEnd().split("\n")) assert.match(line, /^<3>/);
    assert.match(log(), /telemetry_interval_secs/);
  });

  it("is not what standard error is when that goes elsewhere", async () => {
    start({ JOURNAL_STREAM: "1:2" });
    await until("a line", () => log().includes("\n"));
    assert.ok(JSON.parse(log().split("\n")[0] ?? ""));
  });
});
