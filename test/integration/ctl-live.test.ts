// The live screen, in a real terminal. Needs tmux.
import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { ctlEnvironment, ctlProgram } from "../support/ctl.ts";
import { Sockets } from "../support/sockets.ts";
import { telemetrySample } from "../support/telemetry-sample.ts";
import { Terminal } from "../support/tmux.ts";
import { needsTool } from "../support/tools.ts";

const sockets = new Sockets();

interface LiveOptions {
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
}

/** `telemetry --watch` in a terminal; what comes before and after it shows what it leaves behind. */
async function openLive({ columns = 80, rows = 24, env = {} }: LiveOptions = {}): Promise<Terminal> {
  const command = `${process.execPath} ${await ctlProgram()} telemetry --watch --socket ${sockets.path}`;
  const script = `echo before; ${command}; echo "ended with $?"; stty -a | grep -ow -e -icanon -e icanon; exec cat`;
  return Terminal.open({ columns, rows, script, env: ctlEnvironment(env) });
}

/** What the terminal shows once the program has ended: nothing of its picture, no raw mode. */
async function endsCleanly(terminal: Terminal, code: number): Promise<void> {
  const screen = await terminal.shows(/ended with \d+\n-?icanon/);
  assert.equal(screen.trimEnd(), `before\nended with ${code}\nicanon`);
}

const withoutMarks = (line: string): string => line.replace(/[^\u0020-\u007e]/g, "#");

describe("limiquantix-ctl telemetry --watch in a terminal", needsTool("tmux", "tmux"), () => {
  it("shows all there is at 80×24, in lines that fit", async () => {
    await sockets.serve({ telemetry: telemetrySample() });
    await using terminal = await openLive();
    const screen = await terminal.shows(/connected$[^]*q quit/m);
    for (const line of [
      /agent 9\.9\.9 +connected$/m,
      /^web1\.example\.org · up 3 d 4 h · load 0\.31 0\.20 0\.11 · 143 processes$/m,
      /^CPU +█+\S*░+ +34\.2% +▃$/m,
      /^Cores +0 \S+ +12% +1 \S+ +80% +2 \S+ +95% +3 \S+ +3%$/m,
      /^Memory +█+\S*░+ +62\.5% +2\.5 GiB of 4\.0 GiB$/m,
      /^Swap +█+\S*░+ +80\.0% +819 MiB of 1\.0 GiB$/m,
      /^\/mnt\/backup +unreachable +for 1 min 35 s +nfs4/m,
      /^\/ +█\S+ +12\.0% +2\.4 GiB of 20 GiB +ext4 +\/dev\/vda1$/m,
      /^eth0 +up +- +- +1500 +52:54:00:12:34:56 +192\.0\.2\.15\/24 2\S*…$/m,
      /^vdb +- +- +91\.0%$/m,
      /^q quit$/m,
    ]) {
      assert.match(screen, line);
    }
    await terminal.press("q");
    await endsCleanly(terminal, 0);
  });

  it("computes rates, and keeps the history of the CPU", async () => {
    const agent = await sockets.serve({ telemetry: telemetrySample() });
    await using terminal = await openLive();
    await terminal.shows(/connected$/m);
    const [eth0, ...others] = telemetrySample().interfaces ?? [];
    // A second passes until a rate says something; a counter that grows by 3 MiB tells that one was computed.
    let received = Number(eth0?.rxBytes);
    const timer = setInterval(() => {
      received += 3 * 1024 * 1024;
      agent.sendTelemetry(
        telemetrySample({ cpuUsagePercent: 100, interfaces: [{ ...eth0, rxBytes: received }, ...others] }),
      );
    }, 200);
    try {
      const screen = await terminal.shows(/^eth0 +up +1\d MiB\/s +0 B\/s/m);
      assert.match(screen, /^CPU +█+ +100\.0% +▃█+$/m);
    } finally {
      clearInterval(timer);
    }
  });

  it("draws anew when the terminal is resized, small and large", async () => {
    await sockets.serve({ telemetry: telemetrySample() });
    await using terminal = await openLive({ columns: 200, rows: 50 });
    await terminal.shows(/^eth0 .*2001:db8::5054:ff:fe12:3456\/64 fe80::5054:ff:fe12:3456\/64$/m);
    await terminal.resize(60, 15);
    const small = await terminal.shows(/^CPU +\S{21} +34\.2%[^]*^MOUNT[^]*^q quit$/m);
    assert.ok(small.split("\n").every((line) => line.length <= 60));
    await terminal.resize(20, 5);
    await terminal.shows(/^CPU/m);
    await terminal.resize(80, 24);
    await terminal.shows(/^vdb +- +- +91\.0%\n+q quit$/m);
    await terminal.press("q");
    await endsCleanly(terminal, 0);
  });

  it("says when the connection is lost, and when it is back", async () => {
    const agent = await sockets.serve({ telemetry: telemetrySample() });
    await using terminal = await openLive();
    await terminal.shows(/connected$/m);
    await agent.close();
    await terminal.shows(/connection lost, reconnecting for \d+ s$[^]*^the connection ended: .*$[^]*^CPU/m);
    await sockets.serve({ telemetry: telemetrySample({ cpuUsagePercent: 77 }), version: "10.0.0" });
    await terminal.shows(/agent 10\.0\.0 +connected$[^]*^CPU .* 77\.0%/m);
  });

  it("shows many cores with one character each", async () => {
    const cores = Array.from({ length: 96 }, (_, index) => ({ index, usagePercent: index }));
    await sockets.serve({ telemetry: telemetrySample({ cores }) });
    await using terminal = await openLive();
    await terminal.shows(/^Cores +[▁▂▃▄▅▆▇█]{70}\n +[▁▂▃▄▅▆▇█]{26}$/m);
  });

  it("draws with ASCII where the locale is not a UTF-8 one", async () => {
    await sockets.serve({ telemetry: telemetrySample() });
    await using terminal = await openLive({ env: { LANG: "C" } });
    const screen = await terminal.shows(/^CPU +#+\.+ +34\.2% +-$/m);
    assert.equal(screen, screen.split("\n").map(withoutMarks).join("\n"));
  });

  it("gives the terminal back on Ctrl-C and on signals", async () => {
    await sockets.serve({ telemetry: telemetrySample() });
    {
      await using terminal = await openLive();
      await terminal.shows(/connected$/m);
      await terminal.press("C-c");
      await endsCleanly(terminal, 130);
    }
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      await using terminal = await openLive();
      await terminal.shows(/connected$/m);
      await terminal.signalProgram(signal);
      await endsCleanly(terminal, code);
    }
  });

  it("gives the terminal back before it tells of an error of its own", async () => {
    const command = `${process.execPath} --import tsx ${path.resolve("test/support/failing-screen.ts")}`;
    await using terminal = await Terminal.open({
      columns: 80,
      rows: 24,
      script: `echo before; ${command} 2>&1 | grep Error; stty -a | grep -ow -e -icanon -e icanon; exec cat`,
      env: ctlEnvironment(),
    });
    const screen = await terminal.shows(/icanon/);
    assert.match(screen, /^before\n/);
    assert.doesNotMatch(screen, /picture/);
    assert.match(screen, /^Error: of its own$[^]*^icanon$/m);
  });

  it("stops on Ctrl-Z and is there again when continued", async () => {
    await sockets.serve({ telemetry: telemetrySample() });
    await using terminal = await Terminal.open({
      columns: 80,
      rows: 24,
      script: "exec bash --norc",
      env: ctlEnvironment({ PS1: "shell> " }),
    });
    await terminal.shows(/^shell>/m);
    await terminal.press(`node ${await ctlProgram()} telemetry -w --socket ${sockets.path}`, "Enter");
    await terminal.shows(/connected$/m);
    await terminal.press("C-z");
    assert.doesNotMatch(await terminal.shows(/Stopped/), /CPU/);
    await terminal.press("fg", "Enter");
    await terminal.shows(/connected$[^]*^CPU/m);
    await terminal.press("q");
    assert.doesNotMatch(await terminal.shows(/fg[^]*^shell> *$/m), /CPU/);
  });

  it("prints plain lines on a terminal that can show no picture", async () => {
    await sockets.serve({ telemetry: telemetrySample() });
    await using terminal = await openLive({ columns: 200, env: { TERM: "dumb" } });
    await terminal.shows(/^\d{4}-\S+Z cpu=34\.2% mem=62\.5%/m);
  });
});

describe("limiquantix-ctl wait in a terminal", needsTool("tmux", "tmux"), () => {
  it("shows what it waits for, and clears that when done", async () => {
    const command = `${process.execPath} ${await ctlProgram()} wait --socket ${sockets.path}`;
    await using terminal = await Terminal.open({
      columns: 80,
      rows: 24,
      script: `${command}; echo "ended with $?"; exec cat`,
      env: ctlEnvironment(),
    });
    await terminal.shows(/^waiting for \S+, \d+ s of 60: there is no socket/m);
    await sockets.serve();
    const screen = await terminal.shows(/ended with/);
    assert.equal(screen.trimEnd(), "ended with 0");
  });
});
