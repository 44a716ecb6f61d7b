import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultConfig } from "../../src/agent/config/load.ts";
import { openLog } from "../../src/agent/log.ts";
import { serviceName } from "../../src/agent/service/command-line.ts";
import { EventLog, eventId } from "../../src/agent/service/event-log.ts";
import { RunningService } from "../../src/agent/service/running-service.ts";
import type { EventType, ServiceFunctions } from "../../src/native/service.ts";
import { until } from "../support/until.ts";

interface Reported {
  source: string;
  type: EventType;
  id: number;
  text: string;
}

/** An event log that keeps what it is given, when it is let. */
function fakeLog(): {
  reported: Reported[];
  report: ServiceFunctions["reportEvent"];
  answer: (wait?: Promise<void>) => void;
} {
  const reported: Reported[] = [];
  let wait: Promise<void> | undefined;
  return {
    reported,
    answer: (promise) => {
      wait = promise;
    },
    report: async (source, type, id, text) => {
      reported.push({ source, type, id, text });
      await wait;
    },
  };
}

describe("the event log of Windows", () => {
  it("has the warnings and errors of the log, with their codes", async () => {
    const { reported, report } = fakeLog();
    const events = new EventLog(report);
    const file = { ...defaultConfig(), log_level: "debug" as const, log_format: "text" as const };
    const { log, audit, flush } = await openLog({ ...file, log_file: "/dev/null" }, events);
    log.info("nothing");
    log.warn({ code: "QXGA-1006", devices: ["a"] }, "the device is held");
    log.error({ err: new Error("EIO: i/o error"), code: "QXGA-1003" }, "the port failed");
    log.error("a\u0000b\u001b[31m");
    audit.info("somebody did something");
    await flush(1000);
    await events.flush(1000);
    assert.deepEqual(reported, [
      ...[
        {
          type: "warning" as const,
          id: eventId.warning,
          text: 'QXGA-1006 the device is held\n{"devices":["a"]}',
        },
        { type: "error" as const, id: eventId.error, text: "QXGA-1003 the port failed: EIO: i/o error" },
        { type: "error" as const, id: eventId.error, text: "a?b?[31m" },
      ].map((event) => ({ source: serviceName, ...event })),
    ]);
  });

  it("keeps a bounded number for a log that hangs, one on its way, and says how many it left out", async () => {
    const { reported, report, answer } = fakeLog();
    let release = (): void => undefined;
    answer(new Promise<void>((resolve) => (release = resolve)));
    const events = new EventLog(report);
    for (let i = 0; i < 500; i++) events.add("warning", eventId.warning, `${i} ${"x".repeat(50_000)}`);
    await events.flush(20);
    assert.equal(reported.length, 1);
    release();
    await events.flush(1000);
    assert.equal(reported.length, 102);
    assert.match(reported.at(-1)?.text ?? "", /^399 more/);
    assert.ok(reported.every(({ text }) => text.length < 10_000));
  });

  it("that refuses does no harm", async () => {
    const events = new EventLog(() => Promise.reject(new Error("1717")));
    events.add("error", eventId.error, "x");
    await events.flush(1000);
  });
});

describe("the process of the service", () => {
  function begin() {
    const calls: string[] = [];
    const { reported, report } = fakeLog();
    let tell: (event: "start" | "stop" | Error) => void = () => undefined;
    const functions = {
      runService: (_name: string, onEvent: typeof tell) => {
        tell = onEvent;
      },
      serviceRunning: () => calls.push("running"),
      serviceStopped: (code: number) => calls.push(`stopped ${code}`),
      reportEvent: report,
    };
    const service = RunningService.begin(functions);
    return {
      calls,
      reported,
      service,
      tell: (event: Parameters<typeof tell>[0]) => {
        tell(event);
      },
    };
  }

  it("tells the manager and the event log when it runs, is to stop and has stopped", async () => {
    const { calls, reported, service, tell } = begin();
    tell("start");
    const running = await service;
    running.running();
    assert.ok(!running.signal.aborted);
    tell("stop");
    assert.ok(running.signal.aborted);
    await running.stopped(0);
    assert.deepEqual(calls, ["running", "stopped 0"]);
    await until("both events", () => reported.length === 2);
    assert.deepEqual(
      reported.map(({ type, id }) => [type, id]),
      [
        ["information", eventId.started],
        ["information", eventId.stopped],
      ],
    );
  });

  it("tells why it failed", async () => {
    const { calls, reported, service, tell } = begin();
    tell("start");
    await (await service).stopped(78, "QXGA-9002 the config file is not valid");
    assert.deepEqual(calls, ["stopped 78"]);
    assert.match(reported[0]?.text ?? "", /has failed: QXGA-9002/);
    assert.equal(reported[0]?.type, "error");
  });

  it("is none when the manager has not started it", async () => {
    const { service, tell } = begin();
    tell(Object.assign(new Error("UNKNOWN"), { windowsError: 1063 }));
    await assert.rejects(service, /only the service manager may start it so/);
  });
});
