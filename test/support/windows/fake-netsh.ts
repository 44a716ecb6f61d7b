import assert from "node:assert/strict";
import net from "node:net";
import type { AdapterRoute, NetworkAdapter } from "../../../src/native/windows.ts";

/** An adapter as Windows sets one up by itself. */
export function fakeAdapter(index: number, name: string, mac: string): NetworkAdapter {
  return {
    index,
    guid: `{00000000-0000-0000-0000-${String(index).padStart(12, "0")}}`,
    ...{ name, title: "Red Hat VirtIO Ethernet Adapter", mac, isUp: true, dhcp4: true },
    ...{ mtu4: 1500, mtu6: 1500, routerDiscovery: true },
    addresses: [
      { address: "10.0.0.5", prefix: 24, isStatic: false },
      { address: `fe80::${index}`, prefix: 64, isStatic: false },
    ],
    nameServers: ["10.0.0.1"],
    ...{ staticNameServers4: "", staticNameServers6: "" },
    routes: [{ network: "0.0.0.0", prefix: 0, nextHop: "10.0.0.1", metric: 0, isStatic: false }],
  };
}

type Family = "ipv4" | "ipv6";

/** The part of netsh that the agent uses, on adapters that exist here. It takes nothing that netsh would not. */
export class FakeNetsh {
  readonly calls: string[] = [];
  /** The call, counted from 1, that fails. */
  failAt = 0;

  constructor(readonly adapters: NetworkAdapter[]) {}

  run(args: readonly string[]): { exitCode: number; stdout: string } {
    this.calls.push(args.join(" "));
    if (this.calls.length === this.failAt) return { exitCode: 1, stdout: "The parameter is incorrect." };
    const [context, family, verb = "", what = "", ...rest] = args;
    assert.equal(context, "interface");
    assert.ok(family === "ipv4" || family === "ipv6");
    const values = new Map(
      rest.map((word) => {
        assert.match(
          word,
          /^[a-z]+=[0-9a-f.:/]+$|^[a-z]+=(static|dhcp|none|no|enabled|disabled|persistent)$/i,
        );
        return word.split("=") as [string, string];
      }),
    );
    const { adapter, name } = this.#adapterOf(values);
    values.delete(name);
    const problem = this.#carryOut(adapter, family, `${verb} ${what}`, values);
    return { exitCode: problem === "" ? 0 : 1, stdout: problem };
  }

  #adapterOf(values: Map<string, string>): { adapter: NetworkAdapter; name: string } {
    const name = values.has("name") ? "name" : "interface";
    const adapter = this.adapters.find(({ index }) => String(index) === values.get(name));
    assert.ok(adapter, `there is no interface ${values.get(name)}`);
    return { adapter, name };
  }

  #carryOut(adapter: NetworkAdapter, family: Family, command: string, values: Map<string, string>): string {
    const take = (key: string): string => values.get(key) ?? "";
    switch (command) {
      case "set address":
        return take("source") === "dhcp" ? setDhcp(adapter) : setAddress(adapter, values);
      case "add address":
        return family === "ipv4"
          ? addAddress(adapter, take("address"), prefixOf(take("mask")))
          : addAddress(adapter, ...(take("address").split("/") as [string, string]));
      case "delete address":
        return removeAddress(adapter, take("address"));
      case "add route":
        return addRoute(adapter, family, values);
      case "delete route":
        return removeRoute(adapter, family, values);
      case "set dnsservers":
      case "add dnsservers":
        return setServers(adapter, family, command.startsWith("add"), values);
      case "set subinterface":
        adapter[family === "ipv4" ? "mtu4" : "mtu6"] = Number(take("mtu"));
        return "";
      case "set interface":
        adapter.routerDiscovery = take("routerdiscovery") === "enabled";
        return "";
      default:
        return assert.fail(`netsh has no ${command}`);
    }
  }
}

function isV4(address: string): boolean {
  return net.isIPv4(address);
}

function setDhcp(adapter: NetworkAdapter): string {
  if (adapter.dhcp4) return "DHCP is already enabled on this interface.";
  dropV4(adapter);
  adapter.dhcp4 = true;
  adapter.addresses.push({ address: "10.0.0.5", prefix: 24, isStatic: false });
  adapter.routes.push({ network: "0.0.0.0", prefix: 0, nextHop: "10.0.0.1", metric: 0, isStatic: false });
  return "";
}

function setAddress(adapter: NetworkAdapter, values: Map<string, string>): string {
  dropV4(adapter);
  adapter.dhcp4 = false;
  const gateway = values.get("gateway") ?? "none";
  if (gateway !== "none") {
    assert.ok(isV4(gateway));
    const metric = Number(values.get("gwmetric") ?? 1);
    adapter.routes.push({ network: "0.0.0.0", prefix: 0, nextHop: gateway, metric, isStatic: true });
  }
  return addAddress(adapter, values.get("address") ?? "", prefixOf(values.get("mask") ?? ""));
}

/** The default gateway goes with the addresses. */
function dropV4(adapter: NetworkAdapter): void {
  adapter.addresses = adapter.addresses.filter(({ address }) => !isV4(address));
  adapter.routes = adapter.routes.filter(({ network, prefix }) => !(network === "0.0.0.0" && prefix === 0));
}

function addAddress(adapter: NetworkAdapter, address: string, prefix: string): string {
  assert.ok(net.isIP(address) !== 0, address);
  if (adapter.addresses.some((each) => each.address === address)) return "The object already exists.";
  adapter.addresses.push({ address, prefix: Number(prefix), isStatic: true });
  return "";
}

function removeAddress(adapter: NetworkAdapter, address: string): string {
  const left = adapter.addresses.filter((each) => each.address !== address);
  if (left.length === adapter.addresses.length) return "Element not found.";
  adapter.addresses = left;
  return "";
}

function routeOf(family: Family, values: Map<string, string>): AdapterRoute {
  const [network = "", prefix = ""] = (values.get("prefix") ?? "").split("/");
  const none = family === "ipv4" ? "0.0.0.0" : "::";
  assert.equal(isV4(network), family === "ipv4");
  return {
    ...{ network, prefix: Number(prefix), nextHop: values.get("nexthop") ?? none },
    ...{ metric: Number(values.get("metric") ?? 1), isStatic: true },
  };
}

function isAt(route: AdapterRoute): (other: AdapterRoute) => boolean {
  return ({ network, prefix, nextHop }) =>
    network === route.network && prefix === route.prefix && nextHop === route.nextHop;
}

function addRoute(adapter: NetworkAdapter, family: Family, values: Map<string, string>): string {
  const route = routeOf(family, values);
  if (adapter.routes.some(isAt(route))) return "The object already exists.";
  adapter.routes.push(route);
  return "";
}

function removeRoute(adapter: NetworkAdapter, family: Family, values: Map<string, string>): string {
  const index = adapter.routes.findIndex(isAt(routeOf(family, values)));
  if (index < 0) return "Element not found.";
  adapter.routes.splice(index, 1);
  return "";
}

function setServers(
  adapter: NetworkAdapter,
  family: Family,
  isMore: boolean,
  values: Map<string, string>,
): string {
  const key = family === "ipv4" ? "staticNameServers4" : "staticNameServers6";
  const address = values.get("address") ?? "";
  if (values.get("source") === "dhcp" || address === "none") {
    adapter[key] = "";
    return "";
  }
  assert.equal(net.isIP(address), family === "ipv4" ? 4 : 6);
  adapter[key] = isMore ? `${adapter[key]},${address}` : address;
  if (isMore) assert.equal(adapter[key].split(",").length, Number(values.get("index")));
  return "";
}

/** "24" for "255.255.255.0". */
function prefixOf(mask: string): string {
  const bits = mask
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("");
  assert.match(bits, /^1*0*$/);
  return String(bits.replaceAll("0", "").length);
}
