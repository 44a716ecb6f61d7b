// limiquantix-ctl network, with an agent whose answers the test decides.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import type { AgentMessage, Envelope } from "../../src/wire/envelope.ts";
import { ctl, finished, startCtl } from "../support/ctl.ts";
import { failed, one, succeeded } from "../support/ctl-result.ts";
import type { FakeAgentOptions } from "../support/fake-agent.ts";
import { codeOf, withAgent } from "../support/with-agent.ts";

const folder = mkdtempSync(path.join(tmpdir(), "network-"));
const file = path.join(folder, "net.yaml");
writeFileSync(file, "network: {version: 2}\n");
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const features = ["configure_network", "network_show", "network_confirm", "network_rollback"];
const soon = { seconds: 1_800_000_000, nanos: 0 };

/** An agent that answers so, and what it was asked. */
function guest(
  answer: (message: AgentMessage) => Envelope | undefined,
  known = features,
): { options: FakeAgentOptions; asked: string[] } {
  const asked: string[] = [];
  const options: FakeAgentOptions = {
    guest: { features: known, receive: () => false, leave: () => undefined },
    answer(message) {
      if (message.ping || message.payload?.startsWith("network") || message.configureNetwork)
        asked.push(message.payload ?? "");
      return answer(message);
    },
  };
  return { options, asked };
}

const applied = (confirm: boolean): Envelope => ({
  configureNetworkResponse: {
    success: true,
    backend: "netplan",
    changes: ["wrote /etc/netplan/99-limiquantix.yaml", "eth0: address 10.0.0.5/24 added\u001b[31m"],
    ...(confirm && { confirmToken: "t0k3n", confirmUntil: soon }),
  },
});

describe("limiquantix-ctl network", () => {
  it("applies a file and tells what has changed", async () => {
    let request: AgentMessage["configureNetwork"];
    const { options } = guest((message) => {
      request = message.configureNetwork ?? request;
      return message.configureNetwork ? applied(false) : undefined;
    });
    await withAgent(options, async (socket) => {
      const result = await ctl(["network", "apply", file, "--socket", socket]);
      assert.equal(
        succeeded(result),
        "wrote /etc/netplan/99-limiquantix.yaml\neth0: address 10.0.0.5/24 added\\x1b[31m\n",
      );
      assert.deepEqual(
        [request?.netplanConfig, request?.applyNow, request?.confirmSeconds],
        ["network: {version: 2}\n", true, 0],
      );
      const stdin = await startCtl(["network", "apply", "-", "--no-apply", "--json", "--socket", socket], {
        stdin: "pipe",
      });
      stdin.stdin?.end("network: {version: 2} # mine\n");
      const json = one(succeeded(await finished(stdin)));
      assert.deepEqual([json["backend"], json["confirmed"]], ["netplan", false]);
      assert.deepEqual(
        [request?.netplanConfig, request?.applyNow],
        ["network: {version: 2} # mine\n", false],
      );
    });
  });

  it("confirms after a ping on a new connection", async () => {
    const { options, asked } = guest((message) => {
      if (message.configureNetwork) return applied(true);
      if (message.networkConfirm)
        return { networkConfirmResponse: { success: message.networkConfirm.confirmToken === "t0k3n" } };
      return undefined;
    });
    await withAgent(options, async (socket) => {
      succeeded(await ctl(["network", "apply", file, "--confirm", "60s", "--socket", socket]));
      // Pings are a part of connecting, too.
      assert.match(asked.join(" "), /^(ping )*configureNetwork (ping )+networkConfirm$/);
    });
  });

  it("says that it will be rolled back when the agent does not answer any more", async () => {
    const { options, asked } = guest((message) => (message.configureNetwork ? applied(true) : undefined));
    let isApplied = false;
    const silent: FakeAgentOptions = {
      ...options,
      answer(message) {
        if (isApplied) return "none";
        isApplied = message.configureNetwork !== null;
        return options.answer?.(message);
      },
    };
    await withAgent(silent, async (socket) => {
      const args = ["network", "apply", file, "--confirm", "60s", "--socket", socket, "--timeout", "1s"];
      const result = await ctl(args);
      assert.equal(result.code, 4);
      assert.match(result.stderr, /The change is not confirmed; the guest rolls it back at 2027-/);
      assert.equal(asked.at(-1), "configureNetwork");
    });
  });

  it("shows what is configured, and rolls back", async () => {
    const { options } = guest((message) => {
      if (message.networkShow)
        return {
          networkShowResponse: {
            success: true,
            backend: "networkd",
            netplanConfig: "network:\n  version: 2\n",
            effective: "● 2: eth0\n",
            confirmUntil: soon,
            canRollBack: true,
          },
        };
      return message.networkRollback
        ? { networkRollbackResponse: { success: true, changes: ["removed /x"] } }
        : undefined;
    });
    await withAgent(options, async (socket) => {
      assert.equal(
        succeeded(await ctl(["network", "show", "--socket", socket])),
        `carried out by          networkd
waits for confirmation  until 2027-01-15T08:00:00.000Z
rollback                possible
configured              network:
                          version: 2
in force                ● 2: eth0
`,
      );
      const json = one(succeeded(await ctl(["network", "show", "--json", "--socket", socket])));
      assert.equal(json["document"], "network:\n  version: 2\n");
      assert.equal(succeeded(await ctl(["network", "rollback", "--socket", socket])), "removed /x\n");
    });
  });

  it("tells what the guest refuses, and what the command line has wrong", async () => {
    const { options } = guest((message) =>
      message.configureNetwork
        ? { configureNetworkResponse: { error: "QXGA-5004 netplan generate failed: no" } }
        : undefined,
    );
    await withAgent(options, async (socket) => {
      const there = ["--socket", socket];
      failed(await ctl(["network", "apply", file, ...there]), { code: 1, message: /QXGA-5004 netplan/ });
      failed(await ctl(["network", "apply", `${file}.no`, ...there]), { code: 1, message: /no such file/ });
      for (const words of [["apply"], ["erase"], ["show", "x"], ["rollback", "--no-apply"]])
        failed(await ctl(["network", ...words, ...there]), { code: 2, message: /./ });
      const both = ["network", "apply", file, "--confirm", "5s", "--no-apply", ...there];
      failed(await ctl(both), { code: 2, message: /exclude each other/ });
      failed(await ctl(["network", "apply", file, "--confirm", "2h", ...there]), {
        code: 2,
        message: /hour/,
      });
    });
  });
});

describe("client.network", () => {
  it("does not ask an agent to confirm that cannot", async () => {
    const { options } = guest(
      (message) => (message.configureNetwork ? applied(false) : undefined),
      ["configure_network"],
    );
    await withAgent(options, async (socket) => {
      await using client = await connect({ socket });
      assert.equal((await client.network.apply("x")).confirmation, undefined);
      assert.equal(await codeOf(client.network.apply("x", { confirmSeconds: 5 })), "not-supported");
      assert.equal(await codeOf(client.network.show()), "not-supported");
      assert.equal(await codeOf(client.network.rollBack()), "not-supported");
      await assert.rejects(client.network.apply("x", { confirmSeconds: 1.5 }), RangeError);
    });
  });

  it("does not take a change for one to be confirmed when the agent says nothing of it", async () => {
    const { options } = guest((message) => (message.configureNetwork ? applied(false) : undefined));
    await withAgent(options, async (socket) => {
      await using client = await connect({ socket });
      assert.equal(await codeOf(client.network.apply("x", { confirmSeconds: 5 })), "agent-error");
    });
  });
});
