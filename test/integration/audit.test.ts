import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { Daemon } from "../support/daemon.ts";
import { until } from "../support/until.ts";

interface Report {
  records: number;
  first: { seq: number };
  last: { seq: number; hash: string };
  breaks: string[];
  otherLines: number;
}

function verify(...files: string[]): { code: number | null; report: Report } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["dist/bin/agent.cjs", "audit", "verify", "--json", ...files],
    { encoding: "utf8" },
  );
  assert.equal(stderr, "");
  return { code: status, report: JSON.parse(stdout) as Report };
}

async function host(daemon: Daemon): Promise<Client> {
  const there = (): Promise<Client | false> =>
    connect({ socket: daemon.socket, timeoutSeconds: 20 }).catch(() => false as const);
  return await until("the agent", there, 20_000);
}

/** 0 for the file that is written to. */
const numberOf = (file: string): number => Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);

describe("audit in a file", () => {
  let folder: string;
  let trail: string;
  const config = (): string =>
    `security: {audit_logging: true, audit_file: ${trail}, audit_max_size_bytes: 4096, audit_max_files: 20}\n`;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "audit-"));
    trail = path.join(folder, "audit.log");
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** Agents, one after the other, each asked for some files; stopped by `signal`. */
  async function record(times: number, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await using daemon = new Daemon().start({ config: config() });
    await using client = await host(daemon);
    for (let i = 0; i < times; i++)
      await client.files.mkdir(path.join(folder, `made-${i}`), { recursive: true });
    await client.execute({ command: "true" });
    const wanted = /"outcome":"ended"/g;
    await until("the last record", () => (readFileSync(trail, "utf8").match(wanted) ?? []).length > 0);
    await daemon.stop(signal);
  }

  const files = (): string[] =>
    readdirSync(folder)
      .filter((name) => name.startsWith("audit.log"))
      .map((name) => path.join(folder, name))
      .sort((a, b) => numberOf(b) - numberOf(a));

  it("goes on in one chain, over files put aside and over agents that were killed", async () => {
    await record(20);
    await record(20, "SIGKILL");
    await record(20);
    assert.ok(files().length > 2, files().join());
    const { code, report } = verify(...files());
    assert.deepEqual(
      { code, breaks: report.breaks, first: report.first.seq },
      { code: 0, breaks: [], first: 1 },
    );
    assert.equal(report.records, report.last.seq);
    assert.ok(report.records >= 3 * (20 + 3));
    assert.equal(statSync(trail).mode & 0o777, 0o600);
  });

  it("shows what was changed, taken out or put in", () => {
    const [oldest = ""] = files();
    const whole = readFileSync(oldest, "utf8").split("\n");
    assert.ok(whole.length > 6);
    const attempts: Record<string, (lines: string[]) => string[]> = {
      "changed line": (lines) => lines.map((line, i) => (i === 3 ? line.replace("made-", "mode-") : line)),
      "line taken out": (lines) => lines.toSpliced(3, 1),
      "line put in": (lines) => lines.toSpliced(3, 0, lines[2] ?? ""),
      "lines the other way round": (lines) => lines.toSpliced(3, 2, lines[4] ?? "", lines[3] ?? ""),
    };
    for (const [what, change] of Object.entries(attempts)) {
      const copy = path.join(folder, "copy.log");
      writeFileSync(copy, change(whole).join("\n"));
      const { code, report } = verify(copy);
      assert.equal(code, 1, what);
      assert.match(report.breaks.join("\n"), /copy\.log:[456]: record \d/, what);
    }
  });
});

describe("audit in the log", () => {
  it("is a chain from the agent's start on, among other lines", async () => {
    await using daemon = new Daemon().start({ config: "security: {audit_logging: true}\n" });
    await using client = await host(daemon);
    await client.execute({ command: "true" });
    await daemon.logged('"outcome":"ended"');
    const output = execFileSync(process.execPath, ["dist/bin/agent.cjs", "audit", "verify", "-"], {
      input: daemon.log,
      encoding: "utf8",
    });
    assert.match(
      output,
      /^3 records, 1 to 3: whole; the last hash is [0-9a-f]{64}\n\d+ lines are no records\n$/,
    );
  });
});
