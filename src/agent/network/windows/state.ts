import * as v from "valibot";
import type { NetworkAdapter } from "../../../native/windows.ts";
import { cidr, familyOf, ip, ipv4 } from "../convert/values.ts";
import { type Wanted, type WantedRoute, leastMtu6 } from "./wanted.ts";

const metric = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(4_294_967_295));
const mtu = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(4_294_967_295));
const route = v.strictObject({ to: cidr, via: v.optional(ip), metric: v.optional(metric) });

/** How an adapter is configured, or is to be: what netsh sets, and nothing that comes by itself. */
export const stateSchema = v.strictObject({
  /** The adapter's own, whatever it is called. */
  guid: v.pipe(v.string(), v.regex(/^\{[0-9A-Fa-f-]{36}\}$/)),
  dhcp4: v.boolean(),
  addresses4: v.array(cidr),
  gateway4: v.optional(v.strictObject({ via: ipv4, metric: v.optional(metric) })),
  addresses6: v.array(cidr),
  routes: v.array(route),
  /** Empty: those of DHCP. */
  nameServers4: v.array(ipv4),
  nameServers6: v.array(ip),
  /** 0 where it does not speak that family. */
  mtu4: mtu,
  mtu6: mtu,
  routerDiscovery: v.boolean(),
});
export type AdapterState = v.InferOutput<typeof stateSchema>;

/** Windows gives itself one of these where DHCP has not answered. */
const automatic = /^169\.254\./;

const unspecified = ["0.0.0.0", "::"];

/** What of an adapter somebody has set. */
export function stateOf(adapter: NetworkAdapter): AdapterState {
  const { guid, dhcp4, mtu4, mtu6, routerDiscovery } = adapter;
  const statics = adapter.addresses.filter(({ isStatic }) => isStatic);
  const cidrs = statics.map(({ address, prefix }) => `${address}/${prefix}`);
  const routes = adapter.routes.filter(({ isStatic }) => isStatic).map(routeOf);
  const gateway = dhcp4 ? undefined : routes.find(({ to }) => to === "0.0.0.0/0");
  const via = gateway?.via;
  return {
    ...{ guid, dhcp4, mtu4, mtu6, routerDiscovery },
    addresses4: dhcp4 ? [] : cidrs.filter((each) => !each.includes(":") && !automatic.test(each)),
    ...(via !== undefined && { gateway4: { via, metric: gateway?.metric ?? 0 } }),
    addresses6: cidrs.filter((each) => each.includes(":")),
    routes: routes.filter((each) => each !== gateway || via === undefined),
    nameServers4: serversIn(adapter.staticNameServers4, 4),
    nameServers6: serversIn(adapter.staticNameServers6, 6),
  };
}

/** What an adapter in that state is to become. */
export function target(wanted: Wanted, now: AdapterState): AdapterState {
  const { dhcp4, addresses4, gateway4, addresses6, routes, nameServers4, nameServers6 } = wanted;
  const kept = wanted.mtu === undefined || wanted.mtu < leastMtu6 || now.mtu6 === 0;
  return {
    guid: now.guid,
    ...{ dhcp4, addresses4, addresses6, routes, nameServers4, nameServers6 },
    ...(gateway4 && { gateway4 }),
    mtu4: now.mtu4 === 0 ? 0 : (wanted.mtu ?? now.mtu4),
    mtu6: kept ? now.mtu6 : (wanted.mtu ?? now.mtu6),
    routerDiscovery: wanted.routerDiscovery ?? now.routerDiscovery,
  };
}

function routeOf({ network, prefix, nextHop, metric }: NetworkAdapter["routes"][number]): WantedRoute {
  return { to: `${network}/${prefix}`, ...(!unspecified.includes(nextHop) && { via: nextHop }), metric };
}

function serversIn(list: string, family: 4 | 6): string[] {
  return list.split(/[\s,;]+/).filter((address) => familyOf(address) === family);
}
