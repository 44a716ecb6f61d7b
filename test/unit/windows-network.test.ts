// What a document becomes on Windows: calls of netsh that lead from what there is to what is wanted, and back.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import type { SystemTools } from "../../src/agent/network/backends/backend.ts";
import { Netsh } from "../../src/agent/network/backends/netsh.ts";
import { ChangeRecords } from "../../src/agent/network/change-record.ts";
import { Network } from "../../src/agent/network/network.ts";
import { stateOf } from "../../src/agent/network/windows/state.ts";
import { failureText, type ToolResult } from "../../src/agent/tools/tools.ts";
import { CodedError } from "../../src/wire/errors.ts";
import { FakeNetsh, fakeAdapter } from "../support/windows/fake-netsh.ts";

const noSignal = new AbortController().signal;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

let stateDir: string;
let netsh: FakeNetsh;

const tools: SystemTools = {
  run: () => Promise.reject(new Error("only what must succeed is run")),
  expect(code, program, args) {
    assert.match(program, /\\System32\\netsh\.exe$/);
    const result: ToolResult = {
      ...{ exitCode: 0, timedOut: false, truncated: false, stdout: "", stderr: "", durationMs: 1 },
      ...netsh.run(args),
    };
    if (result.exitCode === 0) return Promise.resolve("");
    return Promise.reject(new CodedError(code, failureText("netsh.exe", result)));
  },
};

beforeEach(() => {
  stateDir = mkdtempSync(path.join(tmpdir(), "network-"));
  netsh = new FakeNetsh([
    fakeAdapter(12, "Ethernet 2", "52:54:00:12:34:56"),
    fakeAdapter(5, "Ethernet", "52:54:00:12:34:57"),
  ]);
});
afterEach(() => {
  rmSync(stateDir, { recursive: true, force: true });
});

function network(): Network {
  const look = (): Promise<typeof netsh.adapters> => Promise.resolve(structuredClone(netsh.adapters));
  return new Network({
    backends: [new Netsh({ tools, root: "", stateDir }, look)],
    records: new ChangeRecords(stateDir, log),
    interfaces: async () =>
      (await look()).map(({ name, mtu4, addresses }) => ({
        ...{ name, mtu: mtu4, ipv6Addresses: [] },
        ipv4Addresses: addresses.map(({ address, prefix }) => `${address}/${prefix}`),
      })),
    setMtu: () => Promise.resolve(),
    ...{ log, uptimeSeconds: () => 1000, bootId: "boot", settleMs: 0 },
  });
}

function ethernet(settings: string, name = "Ethernet 2"): string {
  return `network: {version: 2, ethernets: {"${name}": {${settings}}}}`;
}

async function configure(document: string, confirmSeconds = 0): Promise<string[]> {
  const before = netsh.calls.length;
  await network().configure({ document, apply: true, confirmSeconds }, noSignal);
  return netsh.calls.slice(before);
}

async function refusal(document: string): Promise<string> {
  const error = await configure(document).catch((cause: unknown) => cause);
  assert.ok(error instanceof CodedError, String(error));
  assert.equal(error.code, "network");
  return error.message;
}

const full = `addresses: [192.0.2.5/24, 192.0.2.6/25, "2001:DB8::5/64"], gateway4: 192.0.2.1,
  routes: [{to: 198.51.100.0/24, via: 192.0.2.2, metric: 50}, {to: default, via: "2001:db8::1"}],
  nameservers: {addresses: [192.0.2.53, 192.0.2.54, "2001:db8::53"]}, mtu: 1400, accept-ra: false`;

describe("netsh", () => {
  it("is called for each setting, with the adapter's number and checked values", async () => {
    assert.deepEqual(await configure(ethernet(full)), [
      "interface ipv4 set address name=12 source=static address=192.0.2.5 mask=255.255.255.0 gateway=192.0.2.1",
      "interface ipv4 add address name=12 address=192.0.2.6 mask=255.255.255.128",
      "interface ipv6 add address interface=12 address=2001:DB8::5/64",
      "interface ipv4 add route prefix=198.51.100.0/24 interface=12 nexthop=192.0.2.2 metric=50",
      "interface ipv6 add route prefix=::/0 interface=12 nexthop=2001:db8::1",
      "interface ipv4 set dnsservers name=12 source=static address=192.0.2.53 validate=no",
      "interface ipv4 add dnsservers name=12 address=192.0.2.54 index=2 validate=no",
      "interface ipv6 set dnsservers name=12 source=static address=2001:db8::53 validate=no",
      "interface ipv4 set subinterface interface=12 mtu=1400 store=persistent",
      "interface ipv6 set subinterface interface=12 mtu=1400 store=persistent",
      "interface ipv6 set interface interface=12 routerdiscovery=disabled",
    ]);
  });

  it("is called for what differs, and not at all where nothing does", async () => {
    assert.deepEqual(await configure(ethernet("dhcp4: true")), []);
    await configure(ethernet(full));
    assert.deepEqual(await configure(ethernet(full)), []);
    assert.deepEqual(await configure(ethernet(full.replace("metric: 50", "metric: 60"))), [
      "interface ipv4 delete route prefix=198.51.100.0/24 interface=12 nexthop=192.0.2.2",
      "interface ipv4 add route prefix=198.51.100.0/24 interface=12 nexthop=192.0.2.2 metric=60",
    ]);
    assert.deepEqual(await configure(ethernet("dhcp4: true")), [
      "interface ipv4 set address name=12 source=dhcp",
      "interface ipv6 delete address interface=12 address=2001:DB8::5",
      "interface ipv6 delete route prefix=::/0 interface=12 nexthop=2001:db8::1",
      "interface ipv4 delete route prefix=198.51.100.0/24 interface=12 nexthop=192.0.2.2",
      "interface ipv4 set dnsservers name=12 source=dhcp",
      "interface ipv6 set dnsservers name=12 source=dhcp",
    ]);
  });

  it("takes a gateway's metric, and an MTU that only IPv4 can have", async () => {
    const settings =
      "addresses: [192.0.2.5/24], routes: [{to: default, via: 192.0.2.1, metric: 7}], mtu: 576";
    assert.deepEqual(await configure(ethernet(settings)), [
      "interface ipv4 set address name=12 source=static address=192.0.2.5 mask=255.255.255.0 gateway=192.0.2.1 gwmetric=7",
      "interface ipv4 set subinterface interface=12 mtu=576 store=persistent",
    ]);
  });

  it("leaves alone the routes of others, and other adapters", async () => {
    const [adapter, other] = netsh.adapters as [(typeof netsh.adapters)[0], (typeof netsh.adapters)[0]];
    const vpn = { network: "172.16.0.0", prefix: 12, nextHop: "10.0.0.9", metric: 1, isStatic: true };
    adapter.routes.push(vpn);
    const before = structuredClone(other);
    await configure(ethernet(full));
    assert.deepEqual(
      adapter.routes.find(({ network: to }) => to === vpn.network),
      vpn,
    );
    assert.deepEqual(other, before);
  });
});

describe("an adapter is found", () => {
  for (const [how, document] of [
    ["by its name, in any case", ethernet("addresses: [192.0.2.5/24]", "eThernet")],
    ["by its number", ethernet("addresses: [192.0.2.5/24]", "5")],
    [
      "by its MAC address",
      ethernet('match: {macaddress: "52:54:00:12:34:57"}, addresses: [192.0.2.5/24]', "lan"),
    ],
    ["by the name that is matched", ethernet("match: {name: Ethernet}, addresses: [192.0.2.5/24]", "lan")],
  ] as const)
    it(how, async () => {
      assert.deepEqual(await configure(document), [
        "interface ipv4 set address name=5 source=static address=192.0.2.5 mask=255.255.255.0 gateway=none",
      ]);
    });

  it("or nothing is changed", async () => {
    assert.match(
      await refusal(ethernet("dhcp4: true", "lan")),
      /no adapter has the name lan; there is Ethernet 2 \(52:54:00:12:34:56\), Ethernet/,
    );
    for (const each of netsh.adapters) each.mac = "52:54:00:00:00:01";
    assert.match(
      await refusal(ethernet('match: {macaddress: "52:54:00:00:00:01"}, dhcp4: true', "lan")),
      /2 adapters have the MAC address/,
    );
    const twice = `network: {version: 2, ethernets: {Ethernet: {dhcp4: true}, "5": {dhcp4: true}}}`;
    assert.match(await refusal(twice), /two of the document's interfaces are the adapter Ethernet$/);
    assert.deepEqual(netsh.calls, []);
  });
});

describe("what Windows cannot be told is refused by its key", () => {
  for (const [document, problem] of [
    [ethernet(""), /ethernets\.Ethernet 2\.addresses: Windows has no interface without IPv4/],
    [ethernet("dhcp4: true, addresses: [192.0.2.5/24]"), /no IPv4 address beside dhcp4/],
    [ethernet('dhcp4: true, macaddress: "52:54:00:12:34:58"'), /macaddress: is not supported on Windows/],
    [ethernet("dhcp4: true, nameservers: {search: [lan]}"), /nameservers\.search: is not supported/],
    [
      ethernet("addresses: [192.0.2.5/24], routes: [{to: 198.51.100.0/24, via: 192.0.2.1, metric: 10000}]"),
      /no metric above 9999/,
    ],
    [
      `network: {version: 2, ethernets: {a: {}}, vlans: {v: {id: 5, link: a, dhcp4: true}}}`,
      /ethernets\.a\.addresses|vlans\.v: Windows has VLANs/,
    ],
    [
      `network: {version: 2, bonds: {b: {interfaces: [], dhcp4: true}}}`,
      /bonds\.b: Windows has VLANs and bonds from/,
    ],
  ] as const)
    it(document.slice(0, 90), async () => {
      assert.match(await refusal(document), problem);
      assert.deepEqual(netsh.calls, []);
    });
});

describe("what there was before", () => {
  it("comes back when a call fails, and the error says which", async () => {
    const before = netsh.adapters.map(stateOf);
    netsh.failAt = 6;
    assert.match(
      await refusal(ethernet(full)),
      /^netsh interface ipv4 set dnsservers name=12 .*: netsh\.exe failed \(exit code 1\): The parameter is incorrect\.; what was there before holds again$/,
    );
    assert.deepEqual(netsh.adapters.map(stateOf), before);
  });

  it("comes back on request, after another boot too, whatever it was", async () => {
    const [adapter] = netsh.adapters;
    assert.ok(adapter);
    // Set by hand, with what no document of this agent says.
    netsh.run(["interface", "ipv4", "set", "address", "name=12", "source=static", "address=10.1.0.9", "mask=255.255.0.0", "gateway=10.1.0.1", "gwmetric=3"]); // prettier-ignore
    netsh.run(["interface", "ipv4", "set", "dnsservers", "name=12", "source=static", "address=10.1.0.53"]);
    const before = netsh.adapters.map(stateOf);
    await configure(ethernet(full), 60);
    assert.notDeepEqual(netsh.adapters.map(stateOf), before);
    await network().rollBack();
    assert.deepEqual(netsh.adapters.map(stateOf), before);
  });

  it("comes back when nobody confirms", async () => {
    const before = netsh.adapters.map(stateOf);
    await configure(ethernet(full), 60);
    const next = new Network({
      backends: [
        new Netsh({ tools, root: "", stateDir }, () => Promise.resolve(structuredClone(netsh.adapters))),
      ],
      records: new ChangeRecords(stateDir, log),
      interfaces: () => Promise.resolve([]),
      setMtu: () => Promise.resolve(),
      ...{ log, uptimeSeconds: () => 10, bootId: "the next boot", settleMs: 0 },
    });
    await next.recover();
    await next.close();
    assert.deepEqual(netsh.adapters.map(stateOf), before);
  });
});

it("shows what is in force, with what is static marked", async () => {
  await configure(ethernet(full));
  const { backend, effective, canRollBack } = await network().show(noSignal);
  assert.deepEqual([backend, canRollBack], ["netsh", true]);
  assert.match(effective, /^Ethernet 2: Red Hat VirtIO Ethernet Adapter\n {2}index: 12\n/);
  assert.match(effective, / {2}address: 192\.0\.2\.5\/24 \(static\)\n/);
  assert.match(effective, / {2}route: ::\/0 via 2001:db8::1 metric 1 \(static\)\n/);
});

describe("whatever a document says", () => {
  const hostile = fc.constantFrom(
    ...[
      '" & reboot',
      "a\nb",
      "x; reboot",
      "$(reboot)",
      "%COMSPEC%",
      "\u0000",
      "name=1",
      "12 source=dhcp",
      "^",
      "/?",
    ],
  );
  /** Mostly as it should be. */
  const some = (...good: readonly string[]): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 40, arbitrary: fc.constantFrom(...good) },
      { weight: 1, arbitrary: hostile },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
    );
  const via = some("10.0.0.1", "10.0.0.2", "fe80::1");
  const settings = fc.record(
    {
      dhcp4: some("true", "false"),
      mtu: some("1400", "1500"),
      gateway4: some("10.0.0.1"),
      gateway6: some("fe80::1"),
      "accept-ra": some("no"),
      addresses: fc.array(some("10.0.0.5/24", "10.0.1.5/16", "2001:db8::5/64"), { maxLength: 3 }),
      routes: fc.array(fc.record({ to: some("default", "172.16.0.0/12", "2001:db8:1::/48"), via }), {
        maxLength: 2,
      }),
      nameservers: fc.record({ addresses: fc.array(some("10.0.0.53", "2001:db8::53"), { maxLength: 3 }) }),
    },
    { requiredKeys: [] },
  );
  const name = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom("Ethernet", "Ethernet 2") },
    { weight: 1, arbitrary: hostile },
  );

  it("netsh gets words that are its own, numbers and addresses, and all of a change or none of it holds", async () => {
    const documents = fc.dictionary(name, settings, { maxKeys: 2 });
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(documents, async (ethernets) => {
        const before = netsh.adapters.map(stateOf);
        const document = JSON.stringify({ network: { version: "2", ethernets } });
        try {
          // The fake takes nothing else.
          changed += (await configure(document)).length > 0 ? 1 : 0;
        } catch (error) {
          assert.ok(error instanceof CodedError, String(error));
          assert.deepEqual(netsh.adapters.map(stateOf), before);
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(changed > 5, `only ${changed} documents have changed something`);
  });
});
