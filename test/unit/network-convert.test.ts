// What becomes of a document where there is no netplan.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend } from "../../src/agent/network/backends/backend.ts";
import { system } from "../../src/agent/network/backends/linux.ts";
import { parseNetworkDocument } from "../../src/agent/network/document.ts";
import { CodedError } from "../../src/wire/errors.ts";
import { FakeNetwork } from "../support/fake-network.ts";

using guest = new FakeNetwork("none");
const options = { root: guest.root, stateDir: guest.stateDir, tools: guest.tools };
const [, networkManager, networkd] = system.backends(options) as [Backend, Backend, Backend];

function rendered(backend: Backend, text: string): Record<string, string> {
  const files = backend.render(parseNetworkDocument(text));
  return Object.fromEntries(
    [...files].map(([name, { content }]) => [name, content.replace(/^# .*\n\n/, "")]),
  );
}

function refusal(backend: Backend, text: string): string {
  try {
    backend.render(parseNetworkDocument(text));
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
    return error.wireText;
  }
  return "none";
}

const server = `
network:
  version: 2
  ethernets:
    eth0:
      dhcp4: off
      addresses: [192.0.2.5/24, "2001:db8::5/64"]
      gateway4: 192.0.2.1
      routes:
        - {to: 198.51.100.0/24, via: 192.0.2.2, metric: 50}
        - {to: default, via: "2001:db8::1", on-link: true}
      nameservers: {addresses: [192.0.2.53, "2001:db8::53"], search: [example.org, lan]}
      mtu: 1400
      optional: true
    eth1:
      match: {macaddress: "52:54:00:12:34:56"}
      dhcp4: yes
      dhcp6: true
      dhcp-identifier: mac
`;

const bonded = `
network:
  version: 2
  ethernets: {eth1: {}, eth2: {}}
  bonds:
    bond0:
      interfaces: [eth1, eth2]
      addresses: [10.1.0.2/24]
      parameters: {mode: active-backup, mii-monitor-interval: 100, primary: eth2}
  vlans:
    office: {id: 7, link: bond0, addresses: [10.7.0.2/24]}
`;

describe("for systemd-networkd", () => {
  it("converts addresses, routes, name servers and DHCP", () => {
    assert.deepEqual(rendered(networkd, server), {
      "10-limiquantix-eth0.network": `[Match]
Name=eth0

[Link]
MTUBytes=1400
RequiredForOnline=no

[Network]
DHCP=no
LinkLocalAddressing=ipv6
Address=192.0.2.5/24
Address=2001:db8::5/64
DNS=192.0.2.53
DNS=2001:db8::53
Domains=example.org lan

[Route]
Destination=0.0.0.0/0
Gateway=192.0.2.1

[Route]
Destination=198.51.100.0/24
Gateway=192.0.2.2
Metric=50

[Route]
Destination=::/0
Gateway=2001:db8::1
GatewayOnLink=yes
`,
      "10-limiquantix-eth1.network": `[Match]
MACAddress=52:54:00:12:34:56
Type=ether

[Network]
DHCP=yes
LinkLocalAddressing=ipv6

[DHCPv4]
ClientIdentifier=mac
`,
    });
  });

  it("converts bonds and VLANs", () => {
    assert.deepEqual(rendered(networkd, bonded), {
      "10-limiquantix-eth1.network": "[Match]\nName=eth1\n\n[Network]\nBond=bond0\n",
      "10-limiquantix-eth2.network": "[Match]\nName=eth2\n\n[Network]\nBond=bond0\nPrimarySlave=yes\n",
      "10-limiquantix-bond0.netdev":
        "[NetDev]\nName=bond0\nKind=bond\n\n[Bond]\nMode=active-backup\nMIIMonitorSec=100ms\n",
      "10-limiquantix-bond0.network": `[Match]
Name=bond0

[Network]
DHCP=no
LinkLocalAddressing=ipv6
Address=10.1.0.2/24
VLAN=office
ConfigureWithoutCarrier=yes
`,
      "10-limiquantix-office.netdev": "[NetDev]\nName=office\nKind=vlan\n\n[VLAN]\nId=7\n",
      "10-limiquantix-office.network": `[Match]
Name=office

[Network]
DHCP=no
LinkLocalAddressing=ipv6
Address=10.7.0.2/24
ConfigureWithoutCarrier=yes
`,
    });
  });
});

describe("for NetworkManager", () => {
  it("converts addresses, routes, name servers and DHCP", () => {
    const files = rendered(networkManager, server);
    assert.equal(
      files["limiquantix-eth0.nmconnection"]?.replace(/uuid=.*/, "uuid=…"),
      `[connection]
id=limiquantix-eth0
uuid=…
type=ethernet
interface-name=eth0
autoconnect-priority=100

[ethernet]
mtu=1400

[ipv4]
method=manual
address1=192.0.2.5/24
route1=0.0.0.0/0,192.0.2.1
route2=198.51.100.0/24,192.0.2.2,50
dns=192.0.2.53;
dns-search=example.org;lan;

[ipv6]
method=manual
address1=2001:db8::5/64
route1=::/0,2001:db8::1
route1_options=onlink=true
dns=2001:db8::53;
dns-search=example.org;lan;
`,
    );
    assert.equal(
      files["limiquantix-eth1.nmconnection"]?.replace(/uuid=.*/, "uuid=…"),
      `[connection]
id=limiquantix-eth1
uuid=…
type=ethernet
autoconnect-priority=100

[ethernet]
mac-address=52:54:00:12:34:56

[ipv4]
method=auto
dhcp-client-id=mac

[ipv6]
method=auto
`,
    );
  });

  it("converts bonds and VLANs, each with a UUID that stays the same", () => {
    const files = rendered(networkManager, bonded);
    assert.deepEqual(files, rendered(networkManager, bonded));
    const uuids = Object.values(files).map((content) => /^uuid=(.*)$/m.exec(content)?.[1] ?? "");
    for (const uuid of uuids)
      assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(new Set(uuids).size, 4);
    assert.match(files["limiquantix-eth1.nmconnection"] ?? "", /\nmaster=bond0\nslave-type=bond\n$/);
    assert.match(
      files["limiquantix-bond0.nmconnection"] ?? "",
      /\nautoconnect-slaves=1\n\n\[bond\]\nmode=active-backup\nmiimon=100\nprimary=eth2\n\n\[ipv4\]\nmethod=manual/,
    );
    assert.match(files["limiquantix-office.nmconnection"] ?? "", /\n\[vlan\]\nid=7\nparent=bond0\n/);
  });
});

describe("for NetworkManager, what a family without an address can have", () => {
  const sectionsOf = (settings: string): string =>
    rendered(networkManager, `network: {version: 2, ethernets: {eth0: {${settings}}}}`)[
      "limiquantix-eth0.nmconnection"
    ]?.replace(/^[\s\S]*?(?=\[ipv4\])/, "") ?? "";

  it("is nothing, as it would refuse the file", () => {
    assert.equal(
      sectionsOf('addresses: ["2001:db8::7/64"], nameservers: {search: [lan]}'),
      "[ipv4]\nmethod=disabled\n\n[ipv6]\nmethod=manual\naddress1=2001:db8::7/64\ndns-search=lan;\n",
    );
    assert.equal(sectionsOf("accept-ra: false"), "[ipv4]\nmethod=disabled\n\n[ipv6]\nmethod=link-local\n");
    for (const [settings, key] of [
      ["nameservers: {addresses: [192.0.2.53]}", "nameservers.addresses"],
      ["routes: [{to: 192.0.2.0/24}]", "routes"],
      ['accept-ra: false, dhcp4: true, nameservers: {addresses: ["2001:db8::53"]}', "nameservers.addresses"],
    ] as const)
      assert.match(
        refusal(networkManager, `network: {version: 2, ethernets: {eth0: {${settings}}}}`),
        new RegExp(`^QXGA-5004 ethernets.eth0.${key}: eth0 has no IPv[46] address`),
      );
  });

  it("is what router advertisements do not forbid", () => {
    assert.equal(
      sectionsOf('dhcp4: true, nameservers: {addresses: ["2001:db8::53"]}'),
      "[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\ndns=2001:db8::53;\n",
    );
    assert.equal(sectionsOf("dhcp4: true"), "[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=ignore\n");
    assert.match(
      sectionsOf("dhcp4: true, routes: [{to: 192.0.2.0/24, metric: 5}]"),
      /^route1=192\.0\.2\.0\/24,,5$/m,
    );
  });
});

describe("what cannot be converted", () => {
  const of = (settings: string): string =>
    `network: {version: 2, ethernets: {eth0: {${settings}}, eth1: {}}}`;
  for (const [text, problem] of [
    [
      of("wakeonlan: true"),
      "ethernets.eth0.wakeonlan is not supported where netplan is missing: this guest has systemd-networkd",
    ],
    [
      of("addresses: [10.0.0.1]"),
      'ethernets.eth0.addresses[0]: must be an address with a prefix, like "192.0.2.5/24"',
    ],
    [of('addresses: ["10.0.0.1/24\\n[Match]"]'), "ethernets.eth0.addresses[0]: must be an address"],
    [of("addresses: 10.0.0.1/24"), "ethernets.eth0.addresses: must be a list"],
    [of("addresses: [10.0.0.1/33]"), "ethernets.eth0.addresses[0]: must be an address"],
    [of('addresses: ["fe80::1%eth0/64"]'), "ethernets.eth0.addresses[0]: must be an address"],
    [of("dhcp4: maybe"), "ethernets.eth0.dhcp4: must be true or false"],
    [of("mtu: 1e3"), "ethernets.eth0.mtu: must be a number from 68 to 65535"],
    [of('nameservers: {search: ["a b"]}'), "ethernets.eth0.nameservers.search[0]: must be a domain"],
    [of("routes: [{to: default}]"), 'ethernets.eth0.routes[0]: a default route needs "via"'],
    [
      of('routes: [{to: 10.0.0.0/8, via: "2001:db8::1"}]'),
      "ethernets.eth0.routes[0]: 10.0.0.0/8 cannot be reached via",
    ],
    [of("routes: [{via: 10.0.0.1}]"), "ethernets.eth0.routes[0].to: is missing"],
    [of("renderer: NetworkManager"), "renderer: NetworkManager does not run in this guest"],
    ["network: {version: 2, wifis: {w0: {}}}", "wifis is not supported where netplan is missing"],
    [
      "network: {version: 2, ethernets: {a-very-long-name-of-one: {}}}",
      '"a-very-long-name-of-one" cannot be the name',
    ],
    [
      "network: {version: 2, ethernets: {eth0: {}}, vlans: {v: {id: 1, link: eth9}}}",
      "vlans.v.link: there is no eth9",
    ],
    ["network: {version: 2, ethernets: {eth0: {}}, vlans: {v: {link: eth0}}}", "vlans.v.id: is missing"],
    [
      "network: {version: 2, ethernets: {eth0: {dhcp4: true}}, bonds: {b: {interfaces: [eth0]}}}",
      "ethernets.eth0 is a part of b",
    ],
    [
      "network: {version: 2, bonds: {b: {interfaces: [], parameters: {lacp-rate: fast}}}}",
      "bonds.b.parameters.lacp-rate: mode balance-rr has none; 802.3ad has",
    ],
    [
      "network: {version: 2, bonds: {b: {interfaces: [], parameters: {up-delay: 5, mii-monitor-interval: 0}}}}",
      "bonds.b.parameters.up-delay: needs a mii-monitor-interval",
    ],
    [
      "network: {version: 2, bonds: {b: {interfaces: [], parameters: {primary: x}}}}",
      "bonds.b.parameters.primary: x is not among its interfaces",
    ],
    ["network: {version: 2, ethernets: {a: {}}, vlans: {a: {id: 1, link: a}}}", "a is there more than once"],
  ] as const) {
    it(`is refused by its key: ${problem.slice(0, 50)}`, () => {
      const said = refusal(networkd, text);
      assert.ok(said.startsWith(`QXGA-5004 ${problem}`), said);
    });
  }
});

describe("a document that is none", () => {
  for (const [text, problem] of [
    ["", "it must have a section `network:`"],
    ["network:", "`network` must have keys and values"],
    ["network: {version: 1}", "`network.version` must be 2"],
    ["network: {version: 2}\nother: 1", '"other" stands beside `network`'],
    ["network: {version: 2, ethernet: {}}", 'network."ethernet" is no section of netplan'],
    ["network: {version: 2, ethernets: {../../x: {}}}", 'network.ethernets has "../../x", which cannot be'],
    ['network: {version: 2, ethernets: {"..": {}}}', 'network.ethernets has "..", which cannot be'],
    ["network: {version: 2, ethernets: &a {eth0: {}}, vlans: *a}", "line 1: aliases (*name) are not taken"],
    ["network: {version: 2,\n", "line 2: "],
    ["network: {version: 2}\n---\nnetwork: {version: 2}", "line 2: "],
    ["network: {version: 2, version: 2}", "line 1: Map keys must be unique"],
    ["network: {version: 2, ? [a] : b}", "line 1: a key must be a word"],
    ["network: {version: 2, __proto__: {}}", "line 1: a key must be a word"],
    ["a\0b", "it has a NUL character"],
    [`network: ${"[".repeat(60_000)}`, ""],
    [`# ${"x".repeat(65_536)}`, "it has 65538 bytes, and at most 65536 are taken"],
  ] as const) {
    it(`is refused: ${problem}`, () => {
      const said = refusal(networkd, text);
      assert.ok(said.startsWith(`QXGA-5004 the network configuration is not valid: ${problem}`), said);
    });
  }

  it("does not tell what stands where it is wrong", () => {
    for (const text of [
      'network:\n  version: 2\n  wifis: {w: {password: "secret" "secret"}}',
      "network:\n\tpassword: secret",
      "network:\n  a: |secret\n",
    ])
      assert.doesNotMatch(refusal(networkd, text), /secret|^none/);
  });
});
