import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { Writer } from "protobufjs/minimal.js";
import { addon } from "../../src/native/addon.ts";
import { AgentMessage, type Envelope } from "../../src/wire/envelope.ts";
import { maxFrameBytes } from "../../src/wire/frame.ts";
import { responseOf } from "../../src/wire/operations.ts";
import { Daemon } from "../support/daemon.ts";
import { RawHost } from "../support/raw-host.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const agent = path.resolve("dist/bin/agent.cjs");

/** A ping with a sequence that no JavaScript number holds. */
function pingWith(sequence: string): Envelope {
  const bytes = Writer.create().uint32(0x52).fork().uint32(8).uint64(sequence).ldelim().finish();
  return { ping: AgentMessage.decode(bytes).ping ?? null };
}

describe("agent process", () => {
  it("greets a host with agent_ready and telemetry, and each next one anew", async () => {
    await using daemon = new Daemon().start();
    for (let i = 0; i < 3; i++) {
      const host = await RawHost.connect(daemon.socket);
      await host.until("telemetry");
      assert.deepEqual(
        host.received.slice(0, 2).map(({ message }) => message.payload),
        ["agentReady", "telemetry"],
      );
      const ready = host.received[0]?.message.agentReady;
      assert.ok(ready?.capabilities?.includes("ping"));
      assert.equal(ready?.hostname, spawnSync("hostname", { encoding: "utf8" }).stdout.trim());
      host.close();
    }
  });

  it("sends telemetry at its interval", async () => {
    await using daemon = new Daemon().start({ config: "telemetry_interval_secs: 1\n" });
    const host = await RawHost.connect(daemon.socket);
    await until("three reports", () => host.received.filter(({ message }) => message.telemetry).length >= 3);
    host.close();
  });

  it("answers in the framing of the last frame, and echoes a sequence of any size", async () => {
    await using daemon = new Daemon().start();
    const host = await RawHost.connect(daemon.socket);
    for (const framing of ["plain", "magic", "plain"] as const) {
      const sequence = `${18446744073709551610n + BigInt(framing.length - 5)}`;
      const answer = await host.ask(pingWith(sequence), framing);
      assert.equal(String(answer.pong?.sequence), sequence);
      assert.equal(host.received.find(({ message }) => message === answer)?.framing, framing);
    }
    host.close();
  });

  it("refuses what the config switches off, and does not announce it", async () => {
    const config = "security: {disabled_operations: [execute, file_write]}\n";
    await using daemon = new Daemon().start({ config });
    const host = await RawHost.connect(daemon.socket);
    const capabilities = (await host.until("agentReady")).agentReady?.capabilities ?? [];
    assert.ok(!capabilities.includes("execute") && capabilities.includes("file_read"));
    const answer = await host.ask({ execute: { command: "true", waitForExit: true } });
    assert.equal(
      answer.executeResponse?.error,
      "QXGA-8006 execute is switched off in this guest: security.disabled_operations has it",
    );
    host.close();
  });

  it("keeps to the framing that the config pins", async () => {
    await using daemon = new Daemon().start({ config: "framing: magic\n" });
    const host = await RawHost.connect(daemon.socket);
    const answer = await host.ask({ ping: { sequence: 1 } }, "plain");
    assert.ok(answer.pong);
    assert.ok(host.received.every(({ framing }) => framing === "magic"));
    host.close();
  });

  it("answers every request it does not support in its own response type", async () => {
    await using daemon = new Daemon().start();
    const host = await RawHost.connect(daemon.socket);
    const capabilities = (await host.until("agentReady")).agentReady?.capabilities ?? [];
    for (const [request, response] of Object.entries(responseOf)) {
      if (capabilities.includes(request.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))) continue;
      const answer = await host.ask({ [request]: {} });
      assert.equal(answer.payload, response);
      assert.match((answer[response] as { error: string }).error, /^QXGA-2002 \w+ is not supported/);
    }
    host.close();
  });

  it("answers what is no request with an ErrorEvent of the same id, and events not at all", async () => {
    await using daemon = new Daemon().start();
    const host = await RawHost.connect(daemon.socket);
    const none = await host.ask({});
    assert.match(none.error?.message ?? "", /^QXGA-2004/);
    const response = await host.ask({ pong: { sequence: 1 } });
    assert.match(response.error?.message ?? "", /^QXGA-2002 pong is a response/);
    // Payload 150 with an empty message, behind message_id "u".
    host.write(Buffer.from([0, 0, 0, 6, 0x0a, 1, 0x75, 0xb2, 0x09, 0]));
    const unknown = await until("the answer", () => host.answersTo("u")[0]);
    assert.match(unknown.error?.message ?? "", /^QXGA-2002 payload number 150/);
    host.send({ messageId: "an-event", telemetry: {} });
    await host.ask({ ping: { sequence: 1 } });
    assert.deepEqual(host.answersTo("an-event"), []);
    host.close();
  });

  it("carries no message_id so long that the answer would be no frame", async () => {
    await using daemon = new Daemon().start();
    const host = await RawHost.connect(daemon.socket);
    const execute = { command: "true", waitForExit: true };
    for (const [room, payload] of [
      [12, { ping: { sequence: 1 } }],
      [17, { execute }],
    ] as const) {
      host.send({ messageId: "x".repeat(maxFrameBytes - room), ...payload });
      const { error: refused } = await host.until("error");
      assert.match(refused?.message ?? "", /^QXGA-2005 a message_id of \d+ characters/);
      host.received.length = 0;
    }
    const messageId = "y".repeat(1000);
    assert.equal((await host.ask({ messageId, execute })).executeResponse?.exitCode, 0);
    host.close();
  });

  it("survives every kind of broken input, says so, and answers the next ping", async () => {
    await using daemon = new Daemon().start({ config: "frame_timeout_secs: 1\n" });
    const host = await RawHost.connect(daemon.socket);
    const broken: Record<string, Buffer> = {
      "random bytes": Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)),
      "length 0": Buffer.alloc(4),
      "length 2³²−1": Buffer.from([255, 255, 255, 255]),
      "16 MiB + 1": Buffer.from([1, 0, 0, 1]),
      "magic with length 0": Buffer.from([0x51, 0x54, 0x58, 1, 0, 0, 0, 0]),
      "half a frame": Buffer.from([0, 0, 4, 0, 0x0a, 3, 0x61, 0x62]),
      "wrong protobuf": Buffer.from([0, 0, 0, 5, 0x0a, 1, 0x61, 0x52, 0x7f]),
      "deep protobuf": deepGroups(10_000),
    };
    for (const [what, bytes] of Object.entries(broken)) {
      host.write(bytes);
      const answer = await host.ask({ ping: { sequence: 5 } });
      assert.ok(answer.pong, what);
    }
    await daemon.logged("bytes that are no frame were skipped");
    host.close();
  });

  it("answers a million tiny frames in bounded memory, read or not", async () => {
    await using daemon = new Daemon().start({ config: "log_level: error\n" });
    const host = await RawHost.connect(daemon.socket);
    await host.until("telemetry");
    host.pause();
    const tiny = Buffer.concat(
      Array.from({ length: 10_000 }, () => Buffer.from([0, 0, 0, 5, 0x0a, 1, 0x78, 0x52, 0])),
    );
    for (let i = 0; i < 100; i++) host.write(tiny);
    await until("the agent to stop reading", async () => {
      const before = daemon.residentKiB();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return Math.abs(daemon.residentKiB() - before) < 1024;
    });
    assert.ok(daemon.residentKiB() < 200 * 1024, `${daemon.residentKiB()} KiB`);
    host.resume();
    await until("a million pongs", () => host.received.length >= 1_000_000, 60_000);
    host.received.length = 0;
    assert.ok((await host.ask({ ping: { sequence: 1 } })).pong);
    host.close();
  });

  it("takes a request of 16 MiB", async () => {
    await using daemon = new Daemon().start();
    const host = await RawHost.connect(daemon.socket);
    const data = Buffer.alloc(maxFrameBytes - 200);
    const answer = await host.ask({ fileWrite: { path: path.join(daemon.folder, "file"), data } });
    assert.equal(Number(answer.fileWriteResponse?.bytesWritten), data.length);
    host.close();
  });

  it("begins a session with hello, once, and marks its events with it", async () => {
    await using daemon = new Daemon().start();
    const host = await RawHost.connect(daemon.socket);
    const sessionId = "abcdefghijklmnop";
    const hello = { hello: { sessionId, clientVersion: "1", features: ["telemetry-extended"] } };
    const first = await host.ask({ ...hello, messageId: `${sessionId}/1` });
    assert.equal(first.helloResponse?.success, true);
    assert.equal(first.helloResponse.maxFrameBytes, maxFrameBytes);
    const ready = await until("its own agent_ready", () =>
      host.received.find(({ message }) => message.agentReady?.sessionId === sessionId),
    );
    assert.ok(ready);
    await until("extended telemetry", () =>
      host.received.some(({ message }) => (message.telemetry?.cores?.length ?? 0) > 0),
    );
    const refused = await host.ask({ hello: { sessionId: "short" } });
    assert.match(refused.helloResponse?.error ?? "", /^QXGA-2005/);
    host.close();
  });

  it("takes no request out of garbage that is not of the session", async () => {
    await using daemon = new Daemon().start();
    const host = await RawHost.connect(daemon.socket);
    const sessionId = "abcdefghijklmnop";
    await host.ask({ messageId: `${sessionId}/1`, hello: { sessionId } });
    host.write(Buffer.from([255, 255]));
    host.send({ messageId: "from-a-file", ping: { sequence: 1 } });
    assert.ok((await host.ask({ messageId: `${sessionId}/2`, ping: { sequence: 1 } })).pong);
    assert.deepEqual(host.answersTo("from-a-file"), []);
    host.close();
  });

  it("serves one host at a time, the next after it", async () => {
    await using daemon = new Daemon().start();
    const first = await RawHost.connect(daemon.socket);
    await first.until("agentReady");
    const second = await RawHost.connect(daemon.socket);
    second.send({ messageId: "early", ping: { sequence: 1 } });
    assert.ok((await first.ask({ ping: { sequence: 1 } })).pong);
    assert.equal(second.received.length, 0);
    first.close();
    await until("the second host's answer", () => second.answersTo("early").length === 1);
    second.close();
  });

  it("reconnects to a socket that comes late, goes and comes back", async () => {
    await using daemon = new Daemon();
    const socket = path.join(daemon.folder, "host.sock");
    daemon.start({ port: `unix:${socket}` });
    await daemon.logged("cannot connect yet");
    for (let i = 0; i < 2; i++) {
      const greeted = new Promise<void>((resolve) => {
        const server = createServer((connection) => {
          connection.once("data", () => {
            connection.destroy();
            server.close(() => {
              resolve();
            });
          });
        }).listen(socket);
      });
      await greeted;
    }
  });

  it("serves a terminal by its path, and waits for it when it goes", async () => {
    await using daemon = new Daemon();
    const { fd, path: device } = addon.openPty();
    const received: Buffer[] = [];
    const buffer = Buffer.alloc(65_536);
    const master = new addon.Port({ fd }, () => {
      const count = master.read(buffer);
      if (count > 0) received.push(Buffer.from(buffer.subarray(0, count)));
    });
    daemon.start({ port: device });
    await until("agent_ready", () => Buffer.concat(received).includes("get_capabilities"));
    master.close();
    await daemon.logged("the port is gone");
    await daemon.logged("the device does not exist yet; waiting for it");
  });

  it("waits for a device without polling, also in a folder that does not exist yet", async () => {
    await using daemon = new Daemon();
    const device = path.join(daemon.folder, "dev", "ports", "org.limiquantix.agent.0");
    daemon.start({ port: device });
    await daemon.logged("the device does not exist yet");
    const ticks = (): string => readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/status`, "utf8");
    const switches = (): number => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(ticks())?.[1]);
    const before = switches();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.ok(switches() - before <= 3, `${switches() - before} wake-ups in 2 s`);
    mkdirSync(path.dirname(device), { recursive: true });
    const { path: pty } = addon.openPty();
    spawnSync("ln", ["-s", pty, device]);
    await daemon.logged("the port is open");
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    for (const [where, port] of [
      ["with a host", undefined],
      ["waiting for a device", "/nowhere/at/all"],
      ["connecting", "unix:/nowhere/at.sock"],
    ] as const) {
      it(`stops on ${signal} within a second, ${where}`, async () => {
        await using daemon = new Daemon().start(port === undefined ? {} : { port });
        if (port === undefined) await (await RawHost.connect(daemon.socket)).until("telemetry");
        else await daemon.logged(port.startsWith("/") ? "waiting for it" : "cannot connect yet");
        const { code, ms } = await daemon.stop(signal);
        assert.equal(code, 0);
        assert.ok(ms < 1000, `${ms} ms`);
        assert.match(daemon.log, /limiquantix-agent stops/);
      });
    }
  }

  it("leaves no descriptor behind over 200 hosts", async () => {
    await using daemon = new Daemon().start({ config: "log_level: error\n" });
    const visit = async (): Promise<void> => {
      const host = await RawHost.connect(daemon.socket);
      assert.ok((await host.ask({ ping: { sequence: 1 } })).pong);
      host.close();
    };
    for (let i = 0; i < 10; i++) await visit();
    const before = daemon.openDescriptors();
    for (let i = 0; i < 200; i++) await visit();
    await until("the descriptors of the last host to be closed", () => daemon.openDescriptors() <= before);
  });
});

describe("agent command line", () => {
  it("explains itself", async () => {
    const { stdout } = await run(process.execPath, [agent, "--help"]);
    for (const flag of [
      "--port",
      "unix-listen:",
      "--config",
      "--check-config",
      "--print-config",
      "--log-level",
    ]) {
      assert.ok(stdout.includes(flag), flag);
    }
    assert.match((await run(process.execPath, [agent, "--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it("names file, line and key of what is wrong in the config, and does not start", async () => {
    await using daemon = new Daemon();
    const file = path.join(daemon.folder, "c.yaml");
    const cases: [string, RegExp][] = [
      ["log_level: info\ntelemetry_interval: 5\n", /c\.yaml:2: telemetry_interval: no such key/],
      ["\n\nsecurity:\n  command_allow: [x]\n", /c\.yaml:4: security\.command_allow: no such key/],
      ["telemetry_interval_secs: often\n", /c\.yaml:1: telemetry_interval_secs: /],
      ["telemetry_interval_secs: 0\n", /c\.yaml:1: telemetry_interval_secs: /],
      ["a: [1\n", /c\.yaml:\d: /],
      ["log_level: info\nlog_level: warn\n", /c\.yaml:2: /],
      ["- a\n", /c\.yaml:1: the file must be/],
    ];
    for (const [text, message] of cases) {
      writeFileSync(file, text);
      for (const flags of [["--check-config"], ["--print-config"], []]) {
        const { status, stderr } = spawnSync(process.execPath, [agent, "--config", file, ...flags], {
          encoding: "utf8",
        });
        assert.equal(status, 78, `${text} ${flags.join()} ${stderr}`);
        assert.match(stderr, message);
        assert.match(stderr, /QXGA-9002/);
      }
    }
    const missing = spawnSync(process.execPath, [agent, "--config", "/nowhere.yaml"], { encoding: "utf8" });
    assert.equal(missing.status, 78);
    assert.match(missing.stderr, /QXGA-9001 .*\/nowhere\.yaml/);
  });

  it("prints the config in force", async () => {
    await using daemon = new Daemon();
    const file = path.join(daemon.folder, "c.yaml");
    writeFileSync(file, "telemetry_interval_secs: 7\n");
    const { stdout } = await run(process.execPath, [
      agent,
      "--config",
      file,
      "--print-config",
      "--port",
      "/dev/x",
    ]);
    assert.match(stdout, /telemetry_interval_secs: 7/);
    assert.match(stdout, /device_path: \/dev\/x/);
    assert.match(stdout, /max_exec_timeout_secs: 300/);
    assert.match((await run(process.execPath, [agent, "--config", file, "--check-config"])).stdout, /valid/);
  });

  it("refuses wrong flags and says where help is", () => {
    for (const flags of [
      ["--prot", "auto"],
      ["stray"],
      ["--log-level", "loud"],
      ["--port", "relative/path"],
      ["--port", "unix:"],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [agent, ...flags], {
        encoding: "utf8",
        timeout: 5000,
      });
      assert.notEqual(status, 0, flags.join(" "));
      assert.match(stderr, /limiquantix-agent: /);
      assert.doesNotMatch(stderr, /\n\s+at /, "no stack for a typing error");
    }
  });
});

/** Groups inside groups, in field 300 of the envelope. */
function deepGroups(depth: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0x0a, 1, 0x61]),
    Buffer.alloc(depth * 2, Buffer.from([0xe3, 0x12])),
    Buffer.alloc(depth * 2, Buffer.from([0xe4, 0x12])),
  ]);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}
