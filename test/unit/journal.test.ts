import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import { journalError, journalLine } from "../../src/agent/journal.ts";

/** Lines for the journal of what `work` logs. */
function lines(work: (log: pino.Logger) => void, asJson = false): string[] {
  const written: string[] = [];
  const formatters = { level: (label: string) => ({ level: label }) };
  work(
    pino(
      { level: "trace", base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters },
      { write: (line) => written.push(journalLine(line, { asJson })) },
    ),
  );
  return written;
}

describe("lines for the journal", () => {
  it("have the priority, the message and the fields, readably", () => {
    assert.deepEqual(
      lines((log) => {
        log.trace("t");
        log.info({ port: "/dev/vport0p1", pid: 7, names: ["a", "b c"], text: "b c" }, "the port is open");
        log.warn({ code: "QXGA-1006", empty: "" }, "held");
        log.error({ err: new Error("EIO: i/o error"), code: "QXGA-1003" }, "the port failed");
      }),
      [
        "<7>t\n",
        '<6>the port is open port=/dev/vport0p1 pid=7 names=["a","b c"] text="b c"\n',
        '<4>held code=QXGA-1006 empty=""\n',
        '<3>the port failed err="EIO: i/o error" code=QXGA-1003\n',
      ],
    );
  });

  it("say where an error was that nobody foresaw", () => {
    const [line = ""] = lines((log) => {
      log.error({ err: new TypeError("x is not a function") }, "a bug");
    });
    assert.match(line, /^<3>a bug err="x is not a function" stack="TypeError: x is not a function\\n {4}at /);
    assert.equal(line.split("\n").length, 2);
  });

  it("keep records of the audit as they are, as notices", () => {
    const audit = { operation: "execute", target: "/bin/sh", outcome: "started" };
    const [line = ""] = lines((log) => {
      log.info({ audit }, "execute started");
    });
    assert.equal(line.slice(0, 3), "<5>");
    const record = JSON.parse(line.slice(3)) as { audit: unknown; msg: string };
    assert.deepEqual([record.audit, record.msg], [audit, "execute started"]);
  });

  it("are JSON behind the priority where the config says so", () => {
    const [line = ""] = lines((log) => {
      log.warn({ code: "QXGA-1006" }, "held");
    }, true);
    assert.deepEqual(
      [line.slice(0, 3), (JSON.parse(line.slice(3)) as { code: string }).code],
      ["<4>", "QXGA-1006"],
    );
  });

  it("are one line each, that journald does not split, whatever a host sends", () => {
    const hostile = fc
      .string({ unit: "binary", maxLength: 300 })
      .map((text) => `${text}\n<0>forged\r\u0085\u2028<0>x`);
    fc.assert(
      fc.property(
        hostile,
        fc.integer({ min: 1, max: 2000 }),
        fc.boolean(),
        fc.boolean(),
        (text, times, isAudit, asJson) => {
          const long = text.repeat(times);
          const fields = isAudit
            ? { audit: { target: long, error: long } }
            : { [text]: long, list: [long, { long }] };
          const written = lines((log) => {
            log.info(fields, long);
          }, asJson);
          assert.equal(written.length, 1);
          const [line = ""] = written;
          assert.ok(Buffer.byteLength(line) < 48 * 1024, `${Buffer.byteLength(line)} bytes`);
          assert.ok(line.startsWith(isAudit ? "<5>" : "<6>") && line.endsWith("\n"));

          assert.doesNotMatch(
            line.slice(0, -1),
            isAudit || asJson ? /[\u0000-\u001f]/ : /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/,
          );
          if (isAudit || asJson) JSON.parse(line.slice(3));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are errors when the agent does not start", () => {
    assert.equal(journalError("wrong\nkey\u001b[31m"), "<3>wrong\n<3>key\\u001b[31m\n");
  });
});
