import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { type CtlOptions, type CtlResult, asStranger, ctl } from "../support/ctl.ts";
import { failed, one, succeeded } from "../support/ctl-result.ts";
import { Daemon } from "../support/daemon.ts";
import { type FakeAgent, errorEvent, isUsersPing } from "../support/fake-agent.ts";
import { Sockets, leaveSocketBehind } from "../support/sockets.ts";
import { until } from "../support/until.ts";

const sockets = new Sockets();

describe("limiquantix-ctl: the command line", () => {
  it("explains itself with --help: commands, examples, exit codes", async () => {
    const help = succeeded(await ctl(["--help"]));
    for (const text of [
      "vms",
      "ping",
      "info",
      "wait",
      "telemetry",
      "exec",
      "shell",
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
    assert.match(stderr, /Commands:[^]*\nlimiquantix-ctl: which command\?\n$/);
  });

  it("gives a wrong command line as JSON too", async () => {
    const { code, stdout } = await ctl(["ping", "--json"]);
    assert.equal(code, 2);
    const { error } = one(stdout) as { error: Record<string, string> };
    assert.equal(error["code"], "usage");
    assert.match(error["message"] ?? "", /which VM/);
  });

  it("takes the options of every command before it and after it, and from the environment", async () => {
    await sockets.serve();
    const ways = [
      await ctl(["--socket", sockets.path, "--json", "ping"]),
      await ctl(["ping", "--json", "--socket", sockets.path]),
      await ctl(["--json", "ping", "--timeout", "10s", "--socket", sockets.path]),
      await ctl(["ping", "--json"], { env: { LIMIQUANTIX_SOCKET: sockets.path } }),
      await ctl(["--socket", sockets.path, "ping", "--json"], { env: { LIMIQUANTIX_VM: "another" } }),
    ];
    for (const way of ways) assert.equal(one(succeeded(way))["socket"], sockets.path);
  });
});

describe("limiquantix-ctl: exit codes", () => {
  const ping = (options?: CtlOptions): Promise<CtlResult> =>
    ctl(["ping", "--socket", sockets.path, "--timeout", "500ms"], options);

  it("1: the agent answered with an error", async () => {
    await sockets.serve({
      answer: (request) =>
        isUsersPing(request) ? { error: errorEvent("QXGA-8001", "QXGA-8001 too many") } : undefined,
    });
    const { code, stdout } = await ctl(["ping", "--socket", sockets.path, "--json"]);
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
    await leaveSocketBehind(sockets.path);
    failed(await ping(), { code: 3, message: /nobody serves/ });
    const env = { LIMIQUANTIX_ROOT: sockets.folder };
    failed(await ctl(["ping", "--vm", "web"], { env }), { code: 3, message: /no VM is named web/ });
  });

  it("3: two VMs have that name", async () => {
    for (const place of ["limiquantix", "quantix-kvm"]) {
      const vms = path.join(sockets.folder, "var/run", place, "vms");
      mkdirSync(vms, { recursive: true });
      await leaveSocketBehind(path.join(vms, "web1.agent.sock"));
    }
    const result = await ctl(["ping", "--vm", "web1"], { env: { LIMIQUANTIX_ROOT: sockets.folder } });
    failed(result, { code: 3, message: /2 VMs are named web1[^]*limiquantix[^]*quantix-kvm/ });
  });

  it("4: no agent answers", async () => {
    await sockets.serve({ silent: true });
    failed(await ping(), { code: 4, message: /no agent answers: is limiquantix-agent running/ });
  });

  it("5: this user may not open the socket", async () => {
    await sockets.serve();
    failed(await ping(asStranger(sockets.path)), { code: 5, message: /not allowed to open/ });
  });

  it("6: another client has the socket", async () => {
    await using daemon = new Daemon().start();
    await until("the agent serves its socket", () => existsSync(daemon.socket));
    await using other = await connect({ socket: daemon.socket });
    const result = await ctl(["ping", "--socket", daemon.socket, "--timeout", "500ms"]);
    failed(result, { code: 6, message: /taken by another client/ });
    await other.ping();
  });

  const endings: [what: string, end: (agent: FakeAgent) => void, message: RegExp][] = [
    [
      "the connection is lost",
      (agent) => {
        agent.dropClients();
      },
      /seq=1 the connection ended/,
    ],
    [
      "the agent is started anew",
      (agent) => {
        agent.restart();
      },
      /seq=1 the agent in the guest was started anew/,
    ],
  ];
  for (const [what, end, message] of endings) {
    it(`7: ${what} before the answer`, async () => {
      const agent = await sockets.serve({
        answer(request) {
          if (!isUsersPing(request)) return undefined;
          end(agent);
          return "none";
        },
      });
      const { code, stdout } = await ping();
      assert.match(stdout, message);
      assert.equal(code, 7);
    });
  }

  it("gives errors as JSON on stdout too, and the cause with LIMIQUANTIX_DEBUG=1", async () => {
    const { code, stdout, stderr } = await ctl(["ping", "--socket", sockets.path, "--json"], {
      env: { LIMIQUANTIX_DEBUG: "1" },
    });
    assert.equal(code, 3);
    assert.equal((one(stdout)["error"] as { code: string }).code, "not-found");
    assert.match(stderr, /^limiquantix-ctl: there is no socket[^]*\n\s+at [^]*ENOENT/);
  });
});
