// Changes of the network configuration in a folder that stands for the guest, with tools that answer as the test says.
import assert from "node:assert/strict";
import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { ChangeFailed } from "../../src/agent/network/requests.ts";
import { CodedError } from "../../src/wire/errors.ts";
import { FakeNetwork } from "../support/fake-network.ts";
import { until } from "../support/until.ts";

const ours = "99-limiquantix.yaml";
const noSignal = new AbortController().signal;
const document = (address: string): string =>
  `network:\n  version: 2\n  ethernets:\n    eth0:\n      addresses: [${address}/24]\n`;
const change = (address: string, confirmSeconds = 0, apply = true) => ({
  document: document(address),
  apply,
  confirmSeconds,
});

async function errorOf(promise: Promise<unknown>): Promise<CodedError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
    return error;
  }
  throw new Error("it was not refused");
}

describe("a network configuration for netplan", () => {
  it("is checked with the guest's other documents, written, applied, and told", async () => {
    using guest = new FakeNetwork("netplan");
    guest.write("etc/netplan/50-cloud-init.yaml", "network: {version: 2}\n");
    guest.write("etc/netplan/notes.txt", "");
    let scratch: Record<string, string> = {};
    guest.answer = (_, args) => {
      if (args[0] === "generate")
        scratch = guest.files(path.relative(guest.root, `${args[2] ?? ""}/etc/netplan`));
      if (args[0] === "apply")
        guest.interfaces = [{ name: "eth0", mtu: 1500, ipv4Addresses: ["10.0.0.5/24"], ipv6Addresses: [] }];
      return {};
    };
    const network = guest.network();
    const result = await network.configure(change("10.0.0.5"), noSignal);
    assert.deepEqual(result, {
      backend: "netplan",
      changes: [`wrote /etc/netplan/${ours}`, "eth0: address 10.0.0.5/24 added"],
    });
    assert.deepEqual(Object.keys(scratch), ["50-cloud-init.yaml", ours]);
    assert.equal(guest.files("etc/netplan")[ours], document("10.0.0.5"));
    assert.equal(statSync(path.join(guest.root, "etc/netplan", ours)).mode & 0o777, 0o600);
    assert.deepEqual(
      guest.calls.map((call) => call.replace(/ \/\S+/, "")),
      ["netplan generate --root-dir", "netplan apply --state"],
    );
    assert.deepEqual(guest.files("run/limiquantix"), {});
    const state = await network.show(noSignal);
    assert.deepEqual(
      [state.backend, state.document, state.canRollBack],
      ["netplan", document("10.0.0.5"), true],
    );
  });

  it("changes nothing when netplan refuses it, and no secret is told", async () => {
    using guest = new FakeNetwork("netplan");
    guest.write(`etc/netplan/${ours}`, "# earlier\n");
    guest.answer = (_, args) =>
      args[0] === "generate"
        ? { exitCode: 1, stderr: `${args[2] ?? ""}/etc/netplan/x.yaml:5: password: "topsecret"` }
        : {};
    const wifi =
      'network:\n  version: 2\n  wifis:\n    w0:\n      access-points:\n        "home net":\n          password: "topsecret"\n';
    const request = { document: wifi, apply: true, confirmSeconds: 0 };
    const error = await errorOf(guest.network().configure(request, noSignal));
    assert.equal(
      error.wireText,
      'QXGA-5004 netplan generate failed (exit code 1): /etc/netplan/x.yaml:5: password: "…"',
    );
    assert.deepEqual(guest.files("etc/netplan"), { [ours]: "# earlier\n" });
    assert.deepEqual(guest.files("var/lib/limiquantix/network"), {});
    assert.doesNotMatch(guest.logged.join(), /topsecret/);
  });

  for (const [how, result] of [
    ["fails", { exitCode: 1, stderr: "no" }],
    ["takes too long", { exitCode: 143, timedOut: true, durationMs: 60_000 }],
  ] as const) {
    it(`is rolled back when applying it ${how}`, async () => {
      using guest = new FakeNetwork("netplan");
      const network = guest.network();
      await network.configure(change("10.0.0.1"), noSignal);
      await network.configure(change("10.0.0.2"), noSignal);
      guest.answer = (_, args) => {
        const isNew = guest.files("etc/netplan")[ours]?.includes("10.0.0.3");
        return args[0] === "apply" && isNew ? result : {};
      };
      const error = await errorOf(network.configure(change("10.0.0.3"), noSignal));
      assert.ok(error instanceof ChangeFailed);
      assert.equal(error.rolledBack, true);
      assert.match(error.message, /^netplan apply .*; what was there before holds again$/);
      assert.equal(guest.files("etc/netplan")[ours], document("10.0.0.2"));
      // The change before it can still be rolled back.
      await network.rollBack();
      assert.equal(guest.files("etc/netplan")[ours], document("10.0.0.1"));
    });
  }

  it("tells when what was there before cannot be applied either", async () => {
    using guest = new FakeNetwork("netplan");
    guest.answer = (_, args) => (args[0] === "apply" ? { exitCode: 1, stderr: "no bus" } : {});
    const error = await errorOf(guest.network().configure(change("10.0.0.1"), noSignal));
    assert.ok(error instanceof ChangeFailed);
    assert.equal(error.rolledBack, false);
    assert.match(error.message, /could not be brought back into force: netplan apply failed .*no bus$/);
    assert.deepEqual(guest.files("etc/netplan"), {});
  });

  it("is only written without apply_now", async () => {
    using guest = new FakeNetwork("netplan");
    const { changes } = await guest.network().configure(change("10.0.0.1", 0, false), noSignal);
    assert.deepEqual(changes, [`wrote /etc/netplan/${ours}`]);
    assert.ok(!guest.calls.some((call) => call.includes("apply")));
    const error = await errorOf(guest.network().configure(change("10.0.0.1", 5, false), noSignal));
    assert.match(error.wireText, /^QXGA-5004 confirm_seconds needs apply_now/);
  });

  it("uses an older netplan without --state", async () => {
    using guest = new FakeNetwork("netplan");
    guest.answer = (_, args) =>
      args.includes("--state")
        ? { exitCode: 2, stderr: "netplan: error: unrecognized arguments: --state" }
        : {};
    await guest.network().configure(change("10.0.0.1"), noSignal);
    assert.equal(guest.calls.at(-1), "netplan apply");
  });

  it("is not written through a link", async () => {
    using guest = new FakeNetwork("netplan");
    writeFileSync(path.join(guest.root, "victim"), "mine");
    symlinkSync("../../victim", path.join(guest.root, "etc/netplan", ours));
    const error = await errorOf(guest.network().configure(change("10.0.0.1"), noSignal));
    assert.match(error.wireText, /^QXGA-4016 cannot read .*99-limiquantix.yaml/);
    assert.equal(readFileSync(path.join(guest.root, "victim"), "utf8"), "mine");
  });

  it("is refused where nothing carries it out", async () => {
    using guest = new FakeNetwork("none");
    const error = await errorOf(guest.network().configure(change("10.0.0.1"), noSignal));
    assert.match(error.wireText, /^QXGA-5004 this guest has none of netplan, NetworkManager/);
    assert.equal((await guest.network().show(noSignal)).backend, "none");
  });

  it("is given up before the first file is written, and not later", async () => {
    using guest = new FakeNetwork("netplan");
    const controller = new AbortController();
    guest.answer = (_, args) => {
      if (args[0] === "generate") controller.abort(new CodedError("cancelled", "given up"));
      return {};
    };
    const error = await errorOf(guest.network().configure(change("10.0.0.1"), controller.signal));
    assert.equal(error.code, "cancelled");
    assert.deepEqual(guest.files("etc/netplan"), {});
    const late = new AbortController();
    guest.answer = (_, args) => {
      if (args[0] === "apply") late.abort(new CodedError("cancelled", "given up"));
      return {};
    };
    await guest.network().configure(change("10.0.0.1"), late.signal);
    assert.ok(guest.files("etc/netplan")[ours]);
  });
});

describe("a network configuration that is to be confirmed", () => {
  it("is kept when it is, and nothing else begins before", async () => {
    using guest = new FakeNetwork("netplan");
    const network = guest.network();
    const { confirmation } = await network.configure(change("10.0.0.1", 60), noSignal);
    assert.ok(confirmation);
    const another = await errorOf(network.configure(change("10.0.0.2"), noSignal));
    assert.match(another.wireText, /^QXGA-5004 a change waits to be confirmed until 2\d{3}-/);
    assert.match((await errorOf(network.confirm("other"))).wireText, /^QXGA-5004 .*another token/);
    assert.ok((await network.show(noSignal)).confirmUntil);
    await network.confirm(confirmation.token);
    assert.equal((await network.show(noSignal)).confirmUntil, undefined);
    assert.match((await errorOf(network.confirm(confirmation.token))).wireText, /^QXGA-5004 no change waits/);
    await network.configure(change("10.0.0.2"), noSignal);
    assert.equal(guest.files("etc/netplan")[ours], document("10.0.0.2"));
    await network.close();
  });

  it("is rolled back when it is not, and again by itself when that fails at first", async () => {
    using guest = new FakeNetwork("netplan");
    const network = guest.network();
    await network.configure(change("10.0.0.1"), noSignal);
    let failures = 1;
    guest.answer = (_, args) => {
      const isOld = guest.files("etc/netplan")[ours]?.includes("10.0.0.1");
      return args[0] === "apply" && isOld && failures-- > 0 ? { exitCode: 1 } : {};
    };
    await network.configure(change("10.0.0.2", 1), noSignal);
    await until("the earlier file", () => guest.files("etc/netplan")[ours] === document("10.0.0.1"));
    await until("the end", () => guest.logged.some((line) => line.includes("holds again")));
    assert.equal(failures, -1);
    await network.close();
  });

  it("leaves each interface the MTU that it had", async () => {
    using guest = new FakeNetwork("netplan");
    const network = guest.network();
    guest.answer = (_, args) => {
      const isNew = guest.files("etc/netplan")[ours] !== undefined;
      if (args[0] === "apply" && isNew)
        guest.interfaces = guest.interfaces.map((each) => ({ ...each, mtu: 9000 }));
      return {};
    };
    const { changes } = await network.configure(change("10.0.0.1"), noSignal);
    assert.ok(changes.includes("eth0: MTU 1500 → 9000"));
    await network.rollBack();
    assert.equal(guest.calls.at(-1), "ip link set dev eth0 mtu 1500");
  });

  it("can be rolled back at once", async () => {
    using guest = new FakeNetwork("netplan");
    const network = guest.network();
    await network.configure(change("10.0.0.1", 60), noSignal);
    assert.deepEqual(await network.rollBack(), [`removed /etc/netplan/${ours}`]);
    assert.match((await errorOf(network.rollBack())).wireText, /^QXGA-5004 there is no earlier/);
    await network.close();
  });

  it("waits on when the agent starts anew, and is rolled back when its time has come or the guest was started anew", async () => {
    for (const next of ["in time", "too late", "after a boot"] as const) {
      using guest = new FakeNetwork("netplan");
      const first = guest.network();
      const { confirmation } = await first.configure(change("10.0.0.1", 100), noSignal);
      await first.close();
      guest.uptimeSeconds += next === "too late" ? 101 : 50;
      if (next === "after a boot") [guest.bootId, guest.uptimeSeconds] = ["boot 2", 10];
      const second = guest.network();
      await second.recover();
      if (next === "in time") await second.confirm(confirmation?.token ?? "");
      assert.equal(Object.keys(guest.files("etc/netplan")).length, next === "in time" ? 1 : 0, next);
      assert.ok(guest.calls.at(-1)?.startsWith("netplan apply"));
      await second.close();
    }
  });

  it("is rolled back by the timer of the agent that was started anew", async () => {
    using guest = new FakeNetwork("netplan");
    const first = guest.network();
    await first.configure(change("10.0.0.1", 100), noSignal);
    await first.close();
    const second = guest.network();
    guest.uptimeSeconds += 99.8;
    await second.recover();
    assert.ok(guest.files("etc/netplan")[ours]);
    await until("its end", () => !guest.files("etc/netplan")[ours]);
    await second.close();
  });
});
