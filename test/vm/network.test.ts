// configure_network in a guest with systemd-networkd and netplan, and the effect as the system's own tools tell it.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { until } from "../support/until.ts";
import type { SystemdMachine } from "../support/vm/systemd/machine.ts";
import { systemdGuest } from "../support/vm/systemd/saved.ts";

/** The card that netplan knows nothing of. */
const card = "enp0s8";
const ours = "/etc/netplan/99-limiquantix.yaml";
const record = "/var/lib/limiquantix/network/change.json";

let guest: Awaited<ReturnType<typeof systemdGuest>>;
before(async () => {
  guest = await systemdGuest();
});

const document = (address: string): string =>
  `network:\n  version: 2\n  ethernets:\n    ${card}:\n      addresses: [${address}/24]\n      mtu: 1400\n`;

interface Link {
  ifname: string;
  mtu: number;
  addr_info: { local: string; prefixlen: number; scope: string }[];
}

/** Of an interface: its global addresses, as `ip -j addr` tells them; undefined when there is no such interface. */
async function addresses(machine: SystemdMachine, name = card): Promise<string[] | undefined> {
  const link = (await links(machine)).find(({ ifname }) => ifname === name);
  return link?.addr_info
    .filter(({ scope }) => scope === "global")
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

async function links(machine: SystemdMachine): Promise<Link[]> {
  return JSON.parse(await machine.expect("ip -j addr")) as Link[];
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

const connectTo = (machine: SystemdMachine): Promise<Client> =>
  connect({ socket: machine.agentSocket, timeoutSeconds: 60 });

/** Waits until nothing is left of a change. */
async function isAsBefore(machine: SystemdMachine): Promise<void> {
  const gone = `[ ! -e ${ours} ] && [ ! -e ${record} ]`;
  await until("the rollback", async () => (await machine.run(gone)).exitCode === 0, 120_000);
  await until("no address", async () => (await addresses(machine))?.length === 0, 60_000);
  assert.equal((await links(machine)).find(({ ifname }) => ifname === card)?.mtu, 1500);
}

/** Puts a line of shell in the place of netplan. */
async function putBefore(machine: SystemdMachine, line: string): Promise<void> {
  const script = Buffer.from(`#!/bin/sh\n${line}\n`).toString("base64");
  const file = "/usr/local/sbin/netplan";
  await machine.expect(`echo ${script} | base64 -d >${file} && chmod 755 ${file}`);
}

describe("the network of a guest with netplan", () => {
  it("is configured and confirmed, does not change by what netplan refuses, and is rolled back", async () => {
    await using machine = await guest.restore();
    await using client = await connectTo(machine);
    const applied = await client.network.apply(document("10.9.0.5"), { confirmSeconds: 600 });
    assert.equal(applied.backend, "netplan");
    for (const line of [`wrote ${ours}`, `${card}: address 10.9.0.5/24 added`, `${card}: MTU 1500 → 1400`])
      assert.ok(applied.changes.includes(line), applied.changes.join("\n"));
    assert.match(await refusal(client.network.apply(document("10.9.0.6"))), /^QXGA-5004 a change waits/);
    await client.network.confirm(applied.confirmation?.token ?? "");
    assert.deepEqual(await addresses(machine), ["10.9.0.5/24"]);
    assert.match(await machine.expect(`netplan get ethernets.${card}`), /10\.9\.0\.5\/24/);
    assert.equal(await machine.expect(`stat -c '%a %U' ${ours} ${record}`), "600 root\n600 root\n");

    const files = async (): Promise<string> =>
      await machine.expect(`cat ${ours} ${record}; ls /etc/netplan /run/limiquantix`);
    const before = await files();
    for (const [text, why] of [
      ["network: {version: 2, ethernets: {enp0s8: {addresses: [nonsense]}}}", /missing \/prefixlength/],
      // The document of the installer has this one as an ethernet.
      ["network: {version: 2, bridges: {enp0s7: {dhcp4: true}}}", /netplan generate failed/],
      ["network: [", /not valid: line 1/],
    ] as const) {
      assert.match(await refusal(client.network.apply(text)), why);
      assert.equal(await files(), before);
    }
    const state = await client.network.show();
    assert.equal(state.document, document("10.9.0.5"));
    assert.match(state.effective, /enp0s7:\n\s+dhcp4: true\n/);

    await client.network.rollBack();
    await isAsBefore(machine);
  });

  it("comes back when it cannot be applied", async () => {
    await using machine = await guest.restore();
    await using client = await connectTo(machine);
    await putBefore(machine, `/usr/sbin/netplan "$@" && { [ "$1" != apply ] || [ ! -e ${ours} ]; }`);
    const message = await refusal(client.network.apply(document("10.9.0.5"), { confirmSeconds: 60 }));
    assert.match(message, /^QXGA-5004 netplan apply failed .*what was there before holds again$/s);
    await isAsBefore(machine);
    assert.equal((await client.network.show()).confirmUntil, undefined);
  });

  it("comes back when it is not confirmed in time, also by an agent that was killed meanwhile", async () => {
    await using machine = await guest.restore();
    {
      await using client = await connectTo(machine);
      await client.network.apply(document("10.9.0.5"), { confirmSeconds: 20 });
    }
    const pid = await machine.agentPid();
    await machine.expect("systemctl kill -s KILL limiquantix-agent");
    await until("another agent", async () => ![0, pid].includes(await machine.agentPid()), 30_000);
    await machine.expect(`grep -q unconfirmed ${record}`);
    assert.deepEqual(await addresses(machine), ["10.9.0.5/24"]);
    await isAsBefore(machine);
  });

  it("comes back when the agent is killed while it is applied", async () => {
    await using machine = await guest.restore();
    await using client = await connectTo(machine);
    const slow = `/usr/sbin/netplan "$@" || exit; [ "$1" != apply ] || [ ! -e ${ours} ] || sleep 1000`;
    await putBefore(machine, slow);
    const lost = assert.rejects(client.network.apply(document("10.9.0.5")));
    await until("the address", async () => (await addresses(machine))?.join() === "10.9.0.5/24", 60_000);
    await machine.expect(`grep -q applying ${record} && systemctl kill -s KILL limiquantix-agent`);
    await lost;
    await isAsBefore(machine);
  });

  it("comes back when the guest is restarted before it is confirmed", async () => {
    await using machine = await guest.restore();
    {
      await using client = await connectTo(machine);
      await client.network.apply(document("10.9.0.5"), { confirmSeconds: 3600 });
    }
    await machine.expect("(sleep 0.5; systemctl reboot) >/dev/null 2>&1 &");
    await machine.rebooted();
    await machine.booted();
    await isAsBefore(machine);
    await until(
      "the other card's address",
      async () => ((await addresses(machine, "enp0s7")) ?? []).length > 0,
      60_000,
    );
  });
});

describe("the network of a guest with systemd-networkd alone", () => {
  async function withoutNetplan(): Promise<SystemdMachine> {
    const machine = await guest.restore();
    await machine.expect("mv /usr/sbin/netplan /usr/sbin/netplan.hidden");
    return machine;
  }

  it("is configured with a bond and a VLAN, and rolled back", async () => {
    await using machine = await withoutNetplan();
    await using client = await connectTo(machine);
    const applied = await client.network.apply(`
network:
  version: 2
  ethernets: {${card}: {}}
  bonds:
    bond0:
      interfaces: [${card}]
      addresses: [10.9.0.5/24, "2001:db8::5/64"]
      routes: [{to: 10.50.0.0/16, via: 10.9.0.1, metric: 77}]
      parameters: {mode: active-backup, mii-monitor-interval: 100, primary: ${card}}
  vlans:
    office: {id: 7, link: bond0, addresses: [10.7.0.2/24]}
`);
    assert.equal(applied.backend, "networkd");
    for (const line of ["bond0: address 2001:db8::5/64 added", "office: address 10.7.0.2/24 added"])
      assert.ok(applied.changes.includes(line), applied.changes.join("\n"));
    assert.ok((await addresses(machine, "bond0"))?.includes("10.9.0.5/24"));
    assert.match(
      await machine.expect("ip route"),
      /^10\.50\.0\.0\/16 via 10\.9\.0\.1 dev bond0 .*metric 77/m,
    );
    assert.match(await machine.expect(`ip -d link show ${card}`), /master bond0/);
    assert.match(await machine.expect("ip -d link show office"), /vlan protocol 802\.1Q id 7/);
    for (const name of [card, "bond0", "office"])
      assert.match(await machine.expect(`networkctl --no-pager status ${name}`), /10-limiquantix-/);
    assert.doesNotMatch(
      await machine.expect("journalctl --no-pager -u systemd-networkd"),
      /Unknown|ignoring/i,
    );

    await client.network.rollBack();
    assert.equal(await machine.expect("ls /etc/systemd/network"), "");
    assert.deepEqual(
      [await addresses(machine, "bond0"), await addresses(machine, "office")],
      [undefined, undefined],
    );
  });

  it("comes back when it is not confirmed in time", async () => {
    await using machine = await withoutNetplan();
    await using client = await connectTo(machine);
    await client.network.apply(document("10.9.0.5"));
    await client.network.apply(document("10.9.0.6"), { confirmSeconds: 3 });
    assert.deepEqual(await addresses(machine), ["10.9.0.6/24"]);
    await until(
      "the address before",
      async () => (await addresses(machine))?.join() === "10.9.0.5/24",
      30_000,
    );
  });

  it("does not change by a document that it has no words for", async () => {
    await using machine = await withoutNetplan();
    await using client = await connectTo(machine);
    const text = document("10.9.0.5").replace("mtu: 1400", "wakeonlan: true");
    assert.match(
      await refusal(client.network.apply(text)),
      new RegExp(`^QXGA-5004 ethernets.${card}.wakeonlan is not supported where netplan is missing`),
    );
    assert.equal(await machine.expect("ls /etc/systemd/network"), "");
  });

  it("is refused without networkd", async () => {
    await using machine = await withoutNetplan();
    await using client = await connectTo(machine);
    await machine.expect("systemctl stop systemd-networkd.socket systemd-networkd.service");
    assert.match(await refusal(client.network.apply(document("10.9.0.5"))), /this guest has none of netplan/);
    assert.equal((await client.network.show()).backend, "none");
  });
});
