import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { asStranger, ctl, ctlEnvironment, ctlProgram, finished, startCtl } from "../support/ctl.ts";
import { failed, objects, one, succeeded } from "../support/ctl-result.ts";
import { type FakeAgentOptions, errorEvent, isUsersPing } from "../support/fake-agent.ts";
import { Sockets, leaveSocketBehind } from "../support/sockets.ts";
import { telemetrySample } from "../support/telemetry-sample.ts";
import { until } from "../support/until.ts";

const sockets = new Sockets();

describe("limiquantix-ctl ping", () => {
  it("prints the round trip of one ping", async () => {
    await sockets.serve();
    assert.match(
      succeeded(await ctl(["ping", "--socket", sockets.path])),
      /^reply from \S+: seq=1 time=\d+\.\d\d ms \(agent 9\.9\.9, up 1 h 2 min\)\n$/,
    );
  });

  it("prints several, and the shortest, mean and longest at the end", async () => {
    await sockets.serve();
    const lines = succeeded(await ctl(["ping", "--socket", sockets.path, "-c", "3", "-i", "10ms"]))
      .trimEnd()
      .split("\n");
    assert.equal(lines.length, 5);
    assert.match(lines[3] ?? "", /3 sent, 3 answered, 0% lost/);
    const [, min, avg, max] = /min\/avg\/max = ([\d.]+)\/([\d.]+)\/([\d.]+) ms/.exec(lines[4] ?? "") ?? [];
    assert.ok(Number(min) <= Number(avg) && Number(avg) <= Number(max), lines[4]);
  });

  it("gives one JSON value", async () => {
    await sockets.serve();
    const result = one(
      succeeded(await ctl(["ping", "--socket", sockets.path, "-c", "2", "-i", "10ms", "--json"])),
    );
    assert.equal(result["sent"], 2);
    assert.equal(result["answered"], 2);
    const [first] = result["replies"] as Record<string, unknown>[];
    assert.equal(first?.["version"], "9.9.9");
    assert.equal(typeof first["roundTripMs"], "number");
  });

  it("answers to an agent of an earlier generation", async () => {
    await sockets.serve({ sessions: false, version: "0.3.0" });
    assert.match(succeeded(await ctl(["ping", "--socket", sockets.path])), /agent 0\.3\.0/);
  });

  it("goes on after a lost connection, and tells by its exit code", async () => {
    let pings = 0;
    const agent = await sockets.serve({
      answer(request) {
        if (!isUsersPing(request) || ++pings !== 2) return undefined;
        agent.dropClients();
        return "none";
      },
    });
    const { code, stdout } = await ctl(["ping", "--socket", sockets.path, "-c", "3", "-i", "10ms"]);
    assert.match(
      stdout,
      /reply from[^]*no reply from.*seq=2[^]*reply from.*seq=3[^]*3 sent, 2 answered, 33% lost/,
    );
    assert.equal(code, 7);
  });

  it("ends with its summary and 130 on SIGINT", async () => {
    await sockets.serve();
    const child = await startCtl(["ping", "--socket", sockets.path, "-c", "0", "-i", "10ms"]);
    child.stdout?.once("data", () => child.kill("SIGINT"));
    const { code, stdout, stderr } = await finished(child);
    assert.match(stdout, /answered, 0% lost\nround trip/);
    assert.equal(stderr, "");
    assert.equal(code, 130);
  });

  it("ends quietly with 0 when its reader has enough", async () => {
    await sockets.serve();
    const script = `"$0" "$1" ping -c 0 -i 5ms | head -1; echo "\${PIPESTATUS[0]}"`;
    const child = spawn("bash", ["-c", script, process.execPath, await ctlProgram()], {
      env: ctlEnvironment({ LIMIQUANTIX_SOCKET: sockets.path }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    assert.match(succeeded(await finished(child)), /^reply from .*\n0\n$/);
  });
});

describe("limiquantix-ctl info", () => {
  const ready = {
    osName: "Fake Linux",
    kernelVersion: "6.1.0",
    hostname: "web1",
    ipAddresses: ["192.0.2.15", "2001:db8::1"],
  };

  it("lists what the agent and its guest are", async () => {
    await sockets.serve({ ready });
    const text = succeeded(await ctl(["info", "--socket", sockets.path]));
    for (const line of [
      /^Agent +9\.9\.9$/m,
      /^Hostname +web1$/m,
      /^Kernel +6\.1\.0$/m,
      /^System +Fake Linux 1$/m,
    ]) {
      assert.match(text, line);
    }
    assert.match(text, /^Addresses +192\.0\.2\.15\n +2001:db8::1$/m);
    assert.match(text, /^Capabilities +ping\n +telemetry$/m);
  });

  it("gives one JSON value", async () => {
    await sockets.serve({ ready });
    const result = one(succeeded(await ctl(["info", "--socket", sockets.path, "--json"])));
    assert.deepEqual(Object.keys(result), ["socket", "agent", "guest", "capabilities"]);
    assert.deepEqual(result["capabilities"], ["ping", "telemetry"]);
    assert.equal((result["guest"] as Record<string, unknown>)["hostname"], "web1");
  });

  it("makes do with what an agent of an earlier generation says", async () => {
    const answer: FakeAgentOptions["answer"] = ({ getCapabilities }) =>
      getCapabilities ? { error: errorEvent("QXGA-2002", "unknown") } : undefined;
    await sockets.serve({
      sessions: false,
      answer,
      ready: { ...ready, capabilities: ["execute"] },
    });
    const text = succeeded(await ctl(["info", "--socket", sockets.path]));
    assert.match(text, /^System +Fake Linux$/m);
    assert.match(text, /^Capabilities +execute$/m);
  });

  it("never lets a guest command the terminal", async () => {
    await sockets.serve({ ready: { ...ready, hostname: "a\u001b]0;owned\u0007\u009b2Jb\nc" } });
    for (const args of [["info"], ["info", "--json"]]) {
      const text = succeeded(await ctl([...args, "--socket", sockets.path]));
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      assert.match(text, /owned/);
    }
  });
});

describe("limiquantix-ctl wait", () => {
  it("waits for a VM that has no socket yet, and prints nothing", async () => {
    const waiting = ctl(["wait", "--socket", sockets.path]);
    await ctl(["ping", "--socket", sockets.path]); // long enough for a first try in vain
    await sockets.serve();
    assert.equal(succeeded(await waiting), "");
  });

  it("waits for a guest whose agent says nothing yet", async () => {
    let awake = false;
    const agent = await sockets.serve({ answer: () => (awake ? undefined : "none") });
    const waiting = ctl(["wait", "--socket", sockets.path, "--json"]);
    await until("a client is connected", () => agent.clientCount > 0);
    awake = true;
    agent.restart(); // as an agent does that has just started
    const result = one(succeeded(await waiting));
    assert.equal(result["agentVersion"], "9.9.9");
    assert.equal(typeof result["waitedSeconds"], "number");
  });

  it("gives up with 4 and the reason of the last try", async () => {
    failed(await ctl(["wait", "--socket", sockets.path, "--timeout", "300ms"]), {
      code: 4,
      message: /no agent answered within 0\.3 s.*there is no socket/,
    });
    await sockets.serve({ silent: true });
    failed(await ctl(["wait", "--socket", sockets.path, "--timeout", "300ms"]), {
      code: 4,
      message: /no agent answers/,
    });
  });

  it("does not wait for permission", async () => {
    await sockets.serve();
    failed(await ctl(["wait", "--socket", sockets.path], asStranger(sockets.path)), {
      code: 5,
      message: /not allowed to open/,
    });
  });
});

describe("limiquantix-ctl telemetry", () => {
  it("prints a report to read", async () => {
    await sockets.serve({ telemetry: telemetrySample() });
    const text = succeeded(await ctl(["telemetry", "--socket", sockets.path]));
    for (const line of [
      /^web1\.example\.org · up 3 d 4 h · load 0\.31 0\.20 0\.11 · 143 processes · agent 9\.9\.9$/m,
      /^CPU +█+\S* +34\.2%$/m,
      /^Cores +0 .* 12% .* 80% .* 95% .* 3%$/m,
      /^Memory .* 62\.5% +2\.5 GiB of 4\.0 GiB$/m,
      /^Swap .* 80\.0% +819 MiB of 1\.0 GiB$/m,
      /^Pressure +cpu 1\.2% +memory 0\.0% +io 12\.5%$/m,
      /^\/mnt\/backup +unreachable +for 1 min 35 s +nfs4 +nas:\/backup$/m,
      /^\/var\/lib\/postgresql .* 93\.0% +952 GiB of 1\.0 TiB +xfs +\/dev\/mapper\/data-postgresql$/m,
      /^eth0 +up +977 KiB +488 KiB +1500 +52:54:00:12:34:56 +192\.0\.2\.15\/24 2001:db8::5054:ff:fe12:3456\/64/m,
      /^eth1 +down/m,
      /^vda +9\.5 MiB +19 MiB +3\.2%$/m,
    ]) {
      assert.match(text, line);
    }
  });

  it("draws with ASCII where the locale is not a UTF-8 one", async () => {
    await sockets.serve({ telemetry: telemetrySample() });
    const text = succeeded(await ctl(["telemetry", "--socket", sockets.path], { env: { LANG: "C" } }));
    assert.match(text, /^CPU +#+\.+ +34\.2%$/m);
    assert.doesNotMatch(text, /[^\u0000-\u007f]/);
  });

  it("leaves out what an agent of an earlier generation does not send", async () => {
    const telemetry = telemetrySample({
      cores: [],
      diskIo: [],
      pressure: null,
      unreachableMounts: [],
      swapTotalBytes: 0,
    });
    await sockets.serve({ sessions: false, telemetry });
    const text = succeeded(await ctl(["telemetry", "--socket", sockets.path]));
    assert.match(text, /^Swap +none$/m);
    assert.doesNotMatch(text, /Cores|Pressure|DISK|unreachable/);
  });

  it("gives one JSON value, and with --watch one for each report", async () => {
    const agent = await sockets.serve({ telemetry: telemetrySample() });
    const report = one(succeeded(await ctl(["telemetry", "--socket", sockets.path, "--json"])));
    assert.equal(report["cpuUsagePercent"], 34.2);
    assert.equal(report["loadAvg1"], 0.31);
    assert.deepEqual(
      (report["interfaces"] as { state: string }[]).map(({ state }) => state),
      ["up", "down"],
    );

    const child = await startCtl(["telemetry", "--socket", sockets.path, "--json", "--watch"]);
    const result = finished(child);
    child.stdout?.once("data", () => {
      agent.sendTelemetry(telemetrySample({ cpuUsagePercent: 99 }));
      child.stdout?.once("data", () => child.kill("SIGINT"));
    });
    const { code, stdout } = await result;
    assert.deepEqual(
      objects(stdout).map(({ cpuUsagePercent }) => cpuUsagePercent),
      [34.2, 99],
    );
    assert.equal(code, 130);
  });

  it("prints a plain line for each report into a pipe, and goes on after a lost connection", async () => {
    const agent = await sockets.serve({ telemetry: telemetrySample() });
    const child = await startCtl(["telemetry", "--socket", sockets.path, "--watch"]);
    const result = finished(child);
    child.stdout?.once("data", () => {
      agent.dropClients();
      child.stdout?.once("data", () => child.kill("SIGTERM"));
    });
    const { code, stdout, stderr } = await result;
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines.length, 2);
    for (const line of lines) {
      assert.match(
        line,
        /^\d{4}-\S+Z cpu=34\.2% mem=62\.5% swap=80\.0% load=0\.31,0\.20,0\.11 procs=143 \/=12\.0% /,
      );
      assert.match(line, / \/mnt\/backup=unreachable eth0=up .*eth1=down/);
    }
    assert.match(stderr, /connection ended.*; connecting again\nlimiquantix-ctl: connected again\n$/);
    assert.equal(code, 128 + 15);
  });

  it("fails with 4 when no report comes", async () => {
    await sockets.serve();
    failed(await ctl(["telemetry", "--socket", sockets.path, "--timeout", "200ms"]), {
      code: 4,
      message: /no telemetry came/,
    });
  });
});

describe("limiquantix-ctl vms", () => {
  const vmsFolder = (): string => path.join(sockets.folder, "var/run/limiquantix/vms");
  const env = (): { env: Record<string, string> } => ({ env: { LIMIQUANTIX_ROOT: sockets.folder } });

  it("says where it looked when there is none", async () => {
    const text = succeeded(await ctl(["vms"], env()));
    assert.match(text, /^no VM found; looked in\n/);
    assert.ok(text.includes(vmsFolder()));
    assert.deepEqual(JSON.parse(succeeded(await ctl(["vms", "--json"], env()))), []);
  });

  it("shows names, sources, sockets, and who answers", async () => {
    const channel = path.join(sockets.folder, "run/libvirt/qemu/channel/7-db-1");
    mkdirSync(vmsFolder(), { recursive: true });
    mkdirSync(channel, { recursive: true });
    await sockets.serveAt(path.join(vmsFolder(), "web1.agent.sock"));
    await sockets.serveAt(path.join(vmsFolder(), "quiet.agent.sock"), { silent: true });
    await sockets.serveAt(path.join(channel, "org.limiquantix.agent.0"), {
      version: "1.2.3",
    });
    await leaveSocketBehind(path.join(vmsFolder(), "stopped.agent.sock"));

    const text = succeeded(await ctl(["vms"], env()));
    assert.match(text, /^NAME +SOURCE +STATE +SOCKET$/m);
    assert.match(text, /^db-1 +libvirt +agent 1\.2\.3 +\/.*7-db-1\/org\.limiquantix\.agent\.0$/m);
    assert.match(text, /^quiet +limiquantix +silent +\//m);
    assert.match(text, /^stopped +limiquantix +not running +\//m);
    assert.match(text, /^web1 +limiquantix +agent 9\.9\.9 +\//m);

    const rows = JSON.parse(succeeded(await ctl(["vms", "--json"], env()))) as Record<string, string>[];
    assert.deepEqual(
      rows.map(({ name, state }) => [name, state]),
      [
        ["db-1", "answers"],
        ["quiet", "silent"],
        ["stopped", "not-running"],
        ["web1", "answers"],
      ],
    );
    assert.doesNotMatch(succeeded(await ctl(["vms", "--no-probe"], env())), /STATE|silent/);
    assert.match(succeeded(await ctl(["ping", "--vm", "web1"], env())), /^reply from web1: /);
    assert.equal(one(succeeded(await ctl(["ping", "--vm", "db-1", "--json"], env())))["vm"], "db-1");
  });
});
