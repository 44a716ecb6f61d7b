import * as v from "valibot";
import { CodedError } from "../../../wire/errors.ts";
import { type Interface, defaultRoutes, keyOf, routeFamily, routeTarget } from "../convert/plan.ts";
import type { Route } from "../convert/schema.ts";
import { cidr, familyOf, interfaceName, ip, ipv4, mac } from "../convert/values.ts";

const number = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most));

/** netsh takes no greater one. */
const mostMetric = 9999;

/** The least MTU of IPv6. */
export const leastMtu6 = 1280;

const route = v.strictObject({
  /** A network with its prefix. */
  to: cidr,
  via: v.optional(ip),
  metric: v.optional(number(mostMetric)),
});

/** An adapter as a document wants it. What is not there stays as it is. */
export const wantedSchema = v.strictObject({
  /** By which it is found: its name, or its number; with `mac`, that alone unless `matchName` is there. */
  name: interfaceName,
  matchName: v.optional(interfaceName),
  mac: v.optional(mac),
  dhcp4: v.boolean(),
  addresses4: v.array(cidr),
  /** The default gateway, which Windows keeps with the first address. */
  gateway4: v.optional(v.strictObject({ via: ipv4, metric: v.optional(number(mostMetric)) })),
  addresses6: v.array(cidr),
  routes: v.array(route),
  nameServers4: v.array(ipv4),
  nameServers6: v.array(ip),
  mtu: v.optional(number(65_535)),
  routerDiscovery: v.optional(v.boolean()),
});
export type Wanted = v.InferOutput<typeof wantedSchema>;
export type WantedRoute = Wanted["routes"][number];

/** What of a document's interfaces Windows can be told by netsh. Throws CodedError network for the rest, by its key. */
export function wantedOf(each: Interface): Wanted {
  refuseOthers(each);
  const { name, settings } = each;
  const addresses4 = settings.addresses.filter((address) => !address.includes(":"));
  const addresses6 = settings.addresses.filter((address) => address.includes(":"));
  if (settings.dhcp4 && addresses4.length > 0)
    throw refused(each, "addresses", "Windows has no IPv4 address beside dhcp4; leave one of them out");
  if (!settings.dhcp4 && addresses4.length === 0)
    throw refused(
      each,
      "addresses",
      "Windows has no interface without IPv4; give an address, or dhcp4: true",
    );
  const all = [...defaultRoutes(each), ...settings.routes];
  // With DHCP the gateway comes from there, and another is a route like any other.
  const first = settings.dhcp4
    ? undefined
    : all.find((one) => one.to === "default" && routeFamily(one) === 4);
  const rest = all.filter((one) => one !== first).map((one) => checked(each, one));
  const { via, metric } = first ? checked(each, first) : {};
  const { match, mtu } = settings as { match?: { name?: string; macaddress?: string }; mtu?: number };
  const servers = settings.nameservers.addresses;
  return {
    name,
    ...(match?.name !== undefined && { matchName: match.name }),
    ...(match?.macaddress !== undefined && { mac: match.macaddress.toLowerCase() }),
    ...{ dhcp4: settings.dhcp4, addresses4, addresses6, routes: rest },
    ...(via !== undefined && { gateway4: { via, ...(metric !== undefined && { metric }) } }),
    nameServers4: servers.filter((address) => familyOf(address) === 4),
    nameServers6: servers.filter((address) => familyOf(address) === 6),
    ...(mtu !== undefined && { mtu }),
    ...(settings["accept-ra"] !== undefined && { routerDiscovery: settings["accept-ra"] }),
  };
}

function checked(each: Interface, one: Route): WantedRoute {
  const { via, metric } = one;
  if (metric !== undefined && metric > mostMetric)
    throw refused(each, "routes", `Windows takes no metric above ${mostMetric}`);
  return {
    to: routeTarget(one),
    ...(via !== undefined && { via }),
    ...(metric !== undefined && { metric }),
  };
}

function refuseOthers(each: Interface): void {
  const { kind, name, settings } = each;
  if (kind !== "ethernet")
    throw new CodedError(
      "network",
      `${kind}s.${name}: Windows has VLANs and bonds from its adapters' drivers or from Hyper-V, not from netsh; make them there`,
    );
  const unsupported: [key: string, value: unknown][] = [
    ["macaddress", settings.macaddress],
    ["dhcp-identifier", settings["dhcp-identifier"]],
    ["nameservers.search", settings.nameservers.search[0]],
  ];
  const given = unsupported.find(([, value]) => value !== undefined);
  if (given) throw refused(each, given[0], "is not supported on Windows; leave it out");
}

function refused(each: Interface, key: string, why: string): CodedError {
  return new CodedError("network", `${keyOf(each, key)}: ${why}`);
}
