import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { type CtlResult, ctl, ctlEnvironment, ctlProgram, finished, startCtl } from "../support/ctl.ts";
import { FakeAgent, type FakeAgentOptions } from "../support/fake-agent.ts";
import { startRealAgent } from "../support/real-agent.ts";
import { telemetrySample } from "../support/telemetry-sample.ts";
import { until } from "../support/until.ts";

let folder = "";
let socket = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ctl-test-"));
  chmodSync(folder, 0o755);
  socket = path.join(folder, "agent.sock");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const fake = (options?: FakeAgentOptions): Promise<FakeAgent> => FakeAgent.listen(socket, options);

function succeeded({ code, stdout, stderr }: CtlResult): string {
  assert.equal(stderr, "");
  assert.equal(code, 0);
  return stdout;
}

/** One line on stderr that begins with the program's name, and no stack trace. */
function failed({ code, stdout, stderr }: CtlResult, expected: { code: number; message: RegExp }): void {
  assert.match(stderr, /^limiquantix-ctl: /);
  assert.match(stderr, expected.message);
  assert.doesNotMatch(stderr, /\n\s+at /);
  assert.equal(stdout, "");
  assert.equal(code, expected.code);
}

/** Every line of JSON Lines. */
function objects(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function one(text: string): Record<string, unknown> {
  const [object, ...more] = objects(text);
  assert.ok(object);
  assert.deepEqual(more, []);
  return object;
}

describe("limiquantix-ctl: the command line", () => {
  it("explains itself with --help: commands, examples, exit codes", async () => {
    const help = succeeded(await ctl(["--help"]));
    for (const text of [
      "vms",
      "ping",
      "info",
      "wait",
      "telemetry",
      "--socket",
      "LIMIQUANTIX_VM",
      "Exit codes:",
      "Examples:",
    ]) {
      assert.ok(help.includes(text), text);
    }
    assert.equal(succeeded(await ctl(["help", "ping"])), succeeded(await ctl(["ping", "--help"])));
    assert.match(succeeded(await ctl(["help", "ping"])), /--count[^]*--vm[^]*Examples:/);
  });

  it("prints its version", async () => {
    assert.match(succeeded(await ctl(["--version"])), /^\d+\.\d+\.\d+/);
  });

  const wrong: [args: string[], message: RegExp, env?: Record<string, string>][] = [
    [["pin"], /unknown command 'pin'[^]*ping/],
    [["ping", "--socket", "/x", "--loud"], /unknown option '--loud'/],
    [["ping", "--socket", "/x", "extra"], /too many arguments/],
    [["ping"], /which VM\? Give --vm NAME or --socket PATH/],
    [["ping", "--vm", "a", "--socket", "/x"], /--vm and --socket/],
    [["ping"], /LIMIQUANTIX_VM and LIMIQUANTIX_SOCKET/, { LIMIQUANTIX_VM: "a", LIMIQUANTIX_SOCKET: "/x" }],
    [["ping", "--socket", "/x", "--timeout", "soon"], /--timeout.*soon/],
    [["ping", "--socket", "/x", "--timeout", "0"], /more than 0/],
    [["ping", "--socket", "/x", "-c", "-3"], /--count/],
  ];
  for (const [args, message, env] of wrong) {
    it(`refuses with exit code 2: ${args.join(" ")}${env ? " with both variables" : ""}`, async () => {
      failed(await ctl(args, env ? { env } : {}), { code: 2, message });
    });
  }

  it("shows its help on stderr, with exit code 2, when no command is given", async () => {
    const { code, stdout, stderr } = await ctl([]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /Commands:/);
  });

  it("gives a wrong command line as JSON too", async () => {
    const { code, stdout } = await ctl(["ping", "--json"]);
    assert.equal(code, 2);
    const { error } = one(stdout) as { error: Record<string, string> };
    assert.equal(error["code"], "usage");
    assert.match(error["message"] ?? "", /which VM/);
  });

  it("takes the options of every command before it and after it, and from the environment", async () => {
    await using _agent = await fake();
    const ways = [
      await ctl(["--socket", socket, "--json", "ping"]),
      await ctl(["ping", "--json", "--socket", socket]),
      await ctl(["--json", "ping", "--timeout", "10s", "--socket", socket]),
      await ctl(["ping", "--json"], { env: { LIMIQUANTIX_SOCKET: socket } }),
      await ctl(["--socket", socket, "ping", "--json"], { env: { LIMIQUANTIX_VM: "another" } }),
    ];
    for (const way of ways) assert.equal(one(succeeded(way))["socket"], socket);
  });
});

describe("limiquantix-ctl ping", () => {
  it("prints the round trip of one ping", async () => {
    await using _agent = await fake();
    assert.match(
      succeeded(await ctl(["ping", "--socket", socket])),
      /^reply from \S+: seq=1 time=\d+\.\d\d ms \(agent 9\.9\.9, up 1 h 2 min\)\n$/,
    );
  });

  it("prints several, and the shortest, mean and longest at the end", async () => {
    await using _agent = await fake();
    const lines = succeeded(await ctl(["ping", "--socket", socket, "-c", "3", "-i", "10ms"]))
      .trimEnd()
      .split("\n");
    assert.equal(lines.length, 5);
    assert.match(lines[3] ?? "", /3 sent, 3 answered, 0% lost/);
    const [, min, avg, max] = /min\/avg\/max = ([\d.]+)\/([\d.]+)\/([\d.]+) ms/.exec(lines[4] ?? "") ?? [];
    assert.ok(Number(min) <= Number(avg) && Number(avg) <= Number(max), lines[4]);
  });

  it("gives one JSON value", async () => {
    await using _agent = await fake();
    const result = one(succeeded(await ctl(["ping", "--socket", socket, "-c", "2", "-i", "10ms", "--json"])));
    assert.equal(result["sent"], 2);
    assert.equal(result["answered"], 2);
    const [first] = result["replies"] as Record<string, unknown>[];
    assert.equal(first?.["version"], "9.9.9");
    assert.equal(typeof first["roundTripMs"], "number");
  });

  it("answers to an agent of an earlier generation", async () => {
    await using _agent = await fake({ sessions: false, version: "0.3.0" });
    assert.match(succeeded(await ctl(["ping", "--socket", socket])), /agent 0\.3\.0/);
  });

  it("goes on after a lost connection, and tells by its exit code", async () => {
    let pings = 0;
    await using agent = await fake({
      answer(request) {
        if (!isRealPing(request) || ++pings !== 2) return undefined;
        agent.dropClients();
        return "none";
      },
    });
    const { code, stdout } = await ctl(["ping", "--socket", socket, "-c", "3", "-i", "10ms"]);
    assert.match(
      stdout,
      /reply from[^]*no reply from.*seq=2[^]*reply from.*seq=3[^]*3 sent, 2 answered, 33% lost/,
    );
    assert.equal(code, 7);
  });

  it("ends with its summary and 130 on SIGINT", async () => {
    await using _agent = await fake();
    const child = await startCtl(["ping", "--socket", socket, "-c", "0", "-i", "10ms"]);
    child.stdout?.once("data", () => child.kill("SIGINT"));
    const { code, stdout, stderr } = await finished(child);
    assert.match(stdout, /answered, 0% lost\nround trip/);
    assert.equal(stderr, "");
    assert.equal(code, 130);
  });

  it("ends quietly with 0 when its reader has enough", async () => {
    await using _agent = await fake();
    const script = `"$0" "$1" ping -c 0 -i 5ms | head -1; echo "\${PIPESTATUS[0]}"`;
    const child = spawn("bash", ["-c", script, process.execPath, await ctlProgram()], {
      env: ctlEnvironment({ LIMIQUANTIX_SOCKET: socket }),
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
    await using _agent = await fake({ ready });
    const text = succeeded(await ctl(["info", "--socket", socket]));
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
    await using _agent = await fake({ ready });
    const result = one(succeeded(await ctl(["info", "--socket", socket, "--json"])));
    assert.deepEqual(Object.keys(result), ["socket", "agent", "guest", "capabilities"]);
    assert.deepEqual(result["capabilities"], ["ping", "telemetry"]);
    assert.equal((result["guest"] as Record<string, unknown>)["hostname"], "web1");
  });

  it("makes do with what an agent of an earlier generation says", async () => {
    const answer: FakeAgentOptions["answer"] = ({ getCapabilities }) =>
      getCapabilities ? { error: { severity: 1, code: "QXGA-2002", message: "unknown" } } : undefined;
    await using _agent = await fake({
      sessions: false,
      answer,
      ready: { ...ready, capabilities: ["execute"] },
    });
    const text = succeeded(await ctl(["info", "--socket", socket]));
    assert.match(text, /^System +Fake Linux$/m);
    assert.match(text, /^Capabilities +execute$/m);
  });

  it("never lets a guest command the terminal", async () => {
    await using _agent = await fake({ ready: { ...ready, hostname: "a\u001b]0;owned\u0007\u009b2Jb\nc" } });
    for (const args of [["info"], ["info", "--json"]]) {
      const text = succeeded(await ctl([...args, "--socket", socket]));
      // eslint-disable-next-line no-control-regex
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      assert.match(text, /owned/);
    }
  });
});

describe("limiquantix-ctl wait", () => {
  it("waits for a VM that has no socket yet, and prints nothing", async () => {
    const waiting = ctl(["wait", "--socket", socket]);
    await ctl(["ping", "--socket", socket]); // long enough for a first try in vain
    await using _agent = await fake();
    assert.equal(succeeded(await waiting), "");
  });

  it("waits for a guest whose agent says nothing yet", async () => {
    let awake = false;
    await using agent = await fake({ answer: () => (awake ? undefined : "none") });
    const waiting = ctl(["wait", "--socket", socket, "--json"]);
    await until("a client is connected", () => agent.clientCount > 0);
    awake = true;
    agent.restart(); // as an agent does that has just started
    const result = one(succeeded(await waiting));
    assert.equal(result["agentVersion"], "9.9.9");
    assert.equal(typeof result["waitedSeconds"], "number");
  });

  it("gives up with 4 and the reason of the last try", async () => {
    failed(await ctl(["wait", "--socket", socket, "--timeout", "300ms"]), {
      code: 4,
      message: /no agent answered within 0\.3 s.*there is no socket/,
    });
    await using _agent = await fake({ silent: true });
    failed(await ctl(["wait", "--socket", socket, "--timeout", "300ms"]), {
      code: 4,
      message: /no agent answers/,
    });
  });

  it("does not wait for permission", async () => {
    await using _agent = await fake();
    chmodSync(socket, 0o600);
    failed(await ctl(["wait", "--socket", socket], asNobody(socket)), {
      code: 5,
      message: /not allowed to open/,
    });
  });
});

describe("limiquantix-ctl telemetry", () => {
  it("prints a report to read", async () => {
    await using _agent = await fake({ telemetry: telemetrySample() });
    const text = succeeded(await ctl(["telemetry", "--socket", socket]));
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
    await using _agent = await fake({ telemetry: telemetrySample() });
    const text = succeeded(await ctl(["telemetry", "--socket", socket], { env: { LANG: "C" } }));
    assert.match(text, /^CPU +#+\.+ +34\.2%$/m);
    // eslint-disable-next-line no-control-regex
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
    await using _agent = await fake({ sessions: false, telemetry });
    const text = succeeded(await ctl(["telemetry", "--socket", socket]));
    assert.match(text, /^Swap +none$/m);
    assert.doesNotMatch(text, /Cores|Pressure|DISK|unreachable/);
  });

  it("gives one JSON value, and with --watch one for each report", async () => {
    await using agent = await fake({ telemetry: telemetrySample() });
    const report = one(succeeded(await ctl(["telemetry", "--socket", socket, "--json"])));
    assert.equal(report["cpuUsagePercent"], 34.2);
    assert.equal(report["loadAvg1"], 0.31);
    assert.deepEqual(
      (report["interfaces"] as { state: string }[]).map(({ state }) => state),
      ["up", "down"],
    );

    const child = await startCtl(["telemetry", "--socket", socket, "--json", "--watch"]);
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
    await using agent = await fake({ telemetry: telemetrySample() });
    const child = await startCtl(["telemetry", "--socket", socket, "--watch"]);
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
    await using _agent = await fake();
    failed(await ctl(["telemetry", "--socket", socket, "--timeout", "200ms"]), {
      code: 4,
      message: /no telemetry came/,
    });
  });
});

describe("limiquantix-ctl vms", () => {
  const vmsFolder = (): string => path.join(folder, "var/run/limiquantix/vms");
  const env = (): { env: Record<string, string> } => ({ env: { LIMIQUANTIX_ROOT: folder } });

  it("says where it looked when there is none", async () => {
    const text = succeeded(await ctl(["vms"], env()));
    assert.match(text, /^no VM found; looked in\n/);
    assert.ok(text.includes(vmsFolder()));
    assert.deepEqual(JSON.parse(succeeded(await ctl(["vms", "--json"], env()))), []);
  });

  it("shows names, sources, sockets, and who answers", async () => {
    const channel = path.join(folder, "run/libvirt/qemu/channel/7-db-1");
    mkdirSync(vmsFolder(), { recursive: true });
    mkdirSync(channel, { recursive: true });
    await using _web = await FakeAgent.listen(path.join(vmsFolder(), "web1.agent.sock"));
    await using _quiet = await FakeAgent.listen(path.join(vmsFolder(), "quiet.agent.sock"), { silent: true });
    await using _db = await FakeAgent.listen(path.join(channel, "org.limiquantix.agent.0"), {
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

describe("limiquantix-ctl: exit codes", () => {
  const ping = (options?: Parameters<typeof ctl>[1]): Promise<CtlResult> =>
    ctl(["ping", "--socket", socket, "--timeout", "500ms"], options);

  it("1: the agent answered with an error", async () => {
    await using _agent = await fake({
      answer: (request) =>
        isRealPing(request)
          ? { error: { severity: 1, code: "QXGA-8001", message: "QXGA-8001 too many" } }
          : undefined,
    });
    const { code, stdout } = await ctl(["ping", "--socket", socket, "--json"]);
    const [reply] = one(stdout)["replies"] as { error: object }[];
    assert.deepEqual(reply?.error, {
      code: "agent-error",
      message: "QXGA-8001 too many",
      agentCode: "QXGA-8001",
    });
    assert.equal(code, 1);
  });

  it("3: there is no such socket, nobody serves it, or no VM has that name", async () => {
    failed(await ping(), { code: 3, message: /there is no socket/ });
    await leaveSocketBehind(socket);
    failed(await ping(), { code: 3, message: /nobody serves/ });
    const env = { LIMIQUANTIX_ROOT: folder };
    failed(await ctl(["ping", "--vm", "web"], { env }), { code: 3, message: /no VM is named web/ });
  });

  it("3: two VMs have that name", async () => {
    for (const place of ["limiquantix", "quantix-kvm"]) {
      const vms = path.join(folder, "var/run", place, "vms");
      mkdirSync(vms, { recursive: true });
      await leaveSocketBehind(path.join(vms, "web1.agent.sock"));
    }
    const result = await ctl(["ping", "--vm", "web1"], { env: { LIMIQUANTIX_ROOT: folder } });
    failed(result, { code: 3, message: /2 VMs are named web1[^]*limiquantix[^]*quantix-kvm/ });
  });

  it("4: no agent answers", async () => {
    await using _agent = await fake({ silent: true });
    failed(await ping(), { code: 4, message: /no agent answers: is limiquantix-agent running/ });
  });

  it("5: this user may not open the socket", async () => {
    await using _agent = await fake();
    chmodSync(socket, 0o600);
    failed(await ping(asNobody(socket)), { code: 5, message: /not allowed to open/ });
  });

  it("6: another client has the socket", async () => {
    await using _agent = await startRealAgent(socket);
    await using _other = await connect({ socket });
    failed(await ping(), { code: 6, message: /taken by another client/ });
  });

  it("7: the connection is lost, or the agent restarted, before the answer", async () => {
    const endings: ((agent: FakeAgent) => void)[] = [
      (agent) => {
        agent.dropClients();
      },
      (agent) => {
        agent.restart();
      },
    ];
    for (const end of endings) {
      await using agent = await fake({
        answer(request) {
          if (!isRealPing(request)) return undefined;
          end(agent);
          return "none";
        },
      });
      const { code, stdout } = await ping();
      assert.match(
        stdout,
        /no reply from \S+: seq=1 (the connection ended|the agent in the guest was started anew)/,
      );
      assert.equal(code, 7);
    }
  });

  it("gives errors as JSON on stdout too, and the cause with LIMIQUANTIX_DEBUG=1", async () => {
    const { code, stdout, stderr } = await ctl(["ping", "--socket", socket, "--json"], {
      env: { LIMIQUANTIX_DEBUG: "1" },
    });
    assert.equal(code, 3);
    assert.equal((one(stdout)["error"] as { code: string }).code, "not-found");
    assert.match(stderr, /^limiquantix-ctl: there is no socket[^]*\n\s+at [^]*ENOENT/);
  });
});

/** Not the first one, which belongs to the client's negotiation. */
function isRealPing({ ping, messageId }: { ping?: unknown; messageId: string }): boolean {
  return ping !== undefined && ping !== null && !messageId.endsWith("/first-ping");
}

/** A socket file that nobody serves, as a VM leaves it that was killed. */
async function leaveSocketBehind(file: string): Promise<void> {
  const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  await finished(spawn(process.execPath, ["-e", script, file], { stdio: ["ignore", "pipe", "pipe"] }));
}

/** Runs the program as a user who may not open the socket: another one, or this one locked out. */
function asNobody(file: string): { wrapper?: string[] } {
  if (process.getuid?.() === 0)
    return { wrapper: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] };
  chmodSync(file, 0o000);
  return {};
}
