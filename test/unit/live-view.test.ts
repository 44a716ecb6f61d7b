import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";
import { plain } from "../../src/host/plain.ts";
import type { TelemetryReport } from "../../src/host/index.ts";
import { LiveView } from "../../src/cli/ui/telemetry/live.ts";
import { type Report, readReport } from "../../src/cli/ui/telemetry/report.ts";
import { decodeEnvelope, encodeFrame } from "../../src/wire/envelope.ts";
import { telemetrySample } from "../support/telemetry-sample.ts";

function report(changes: Parameters<typeof telemetrySample>[0] = {}): Report {
  const body = encodeFrame("plain", { messageId: "x", telemetry: telemetrySample(changes) }).subarray(4);
  return readReport(plain(decodeEnvelope(body)?.telemetry) as TelemetryReport);
}

function stateAt(view: LiveView, nowMs: number): string {
  return /(connected|no report for .*|waiting .*|connection lost.*)$/.exec(firstLine(view, nowMs))?.[0] ?? "";
}

function firstLine(view: LiveView, nowMs: number): string {
  return stripVTControlCharacters(view.lines(100, 30, nowMs)[0] ?? "");
}

describe("the live view", () => {
  it("says when reports stop, by the interval at which they came", () => {
    const view = new LiveView("web1", "1.0.0", 0);
    assert.equal(stateAt(view, 100), "waiting for the first report");
    view.take(report(), 200);
    assert.equal(stateAt(view, 12_000), "connected");
    assert.equal(stateAt(view, 13_300), "no report for 13 s");

    // An agent that reports each minute: not late before 150 s, also when an address changes in between.
    for (const minute of [1, 2, 3, 4]) view.take(report(), minute * 60_000);
    view.take(report(), 4 * 60_000 + 10);
    assert.equal(stateAt(view, 6 * 60_000), "connected");
    assert.equal(stateAt(view, 7 * 60_000), "no report for 2 min 59 s");
  });

  it("tells a lost connection from a connection without reports", () => {
    const view = new LiveView("web1", "1.0.0", 0);
    view.take(report(), 0);
    view.lost("the VM stopped", 1_000);
    assert.equal(stateAt(view, 61_000), "connection lost, reconnecting for 1 min");
    assert.ok(view.lines(100, 30, 61_000).some((line) => line.includes("the VM stopped")));
    view.connected("1.0.1", 62_000);
    assert.equal(stateAt(view, 63_000), "connected");
    assert.match(firstLine(view, 63_000), /agent 1\.0\.1/);
  });

  it("fits any size", () => {
    const view = new LiveView("a-name-that-is-long-enough-to-need-cutting", "1.0.0", 0);
    const wide = "計算機".repeat(10);
    const cores = Array.from({ length: 64 }, (_, index) => ({ index, usagePercent: index }));
    view.take(report({ hostname: wide, cores }), 0);
    for (const columns of [1, 2, 10, 33, 80, 81, 132, 400]) {
      for (const rows of [1, 2, 5, 11, 12, 13, 24, 60]) {
        const lines = view.lines(columns, rows, 0);
        assert.ok(lines.length <= rows, `${lines.length} lines in ${rows}`);
        for (const line of lines) assert.ok(stringWidth(line) <= columns, `${columns} columns: ${line}`);
      }
    }
  });

  it("counts the lines of a table that it leaves out, and keeps unreachable mounts", () => {
    const view = new LiveView("web1", "1.0.0", 0);
    const [root] = telemetrySample().disks ?? [];
    const disks = Array.from({ length: 40 }, (_, index) => ({ ...root, mountPoint: `/mnt/${index}` }));
    view.take(report({ disks }), 0);
    const text = view.lines(80, 24, 0).map(stripVTControlCharacters).join("\n");
    assert.match(text, /^MOUNT .*… 3[0-9] more\)$/m);
    assert.match(text, /^\/mnt\/backup +unreachable/m);
    assert.match(text, /^eth0/m);
    assert.match(text, /^vdb/m);
  });
});
