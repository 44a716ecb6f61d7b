import { routeFamily } from "../convert/plan.ts";
import type { AdapterState } from "./state.ts";
import type { WantedRoute } from "./wanted.ts";

/** The arguments of one call of netsh. An adapter is its number in them, and each value a number or an address. */
export type NetshCall = readonly string[];

/** Addresses and gateway: these may take routes with them, so what there is then is looked at before the rest. */
export function addressCalls(index: number, now: AdapterState, to: AdapterState): NetshCall[] {
  const gone = now.addresses6.filter((address) => !to.addresses6.some((other) => isSame(address, other)));
  const added = to.addresses6.filter((address) => !now.addresses6.some((other) => isSame(address, other)));
  return [
    ...addresses4(index, now, to),
    ...gone.map((address) => v6("delete", "address", `interface=${index}`, `address=${hostOf(address)}`)),
    ...added.map((address) => v6("add", "address", `interface=${index}`, `address=${address}`)),
  ];
}

/**
 * The rest. Of the routes that are there and are not wanted, those go which are `ours`: others may belong to a program in
 * the guest.
 */
export function otherCalls(
  index: number,
  now: AdapterState,
  to: AdapterState,
  ours: readonly WantedRoute[],
): NetshCall[] {
  const there = (route: WantedRoute): boolean => now.routes.some((other) => isSameRoute(route, other));
  const isWanted = (route: WantedRoute): boolean => to.routes.some((other) => isSameRoute(route, other));
  const gone = now.routes.filter(
    (route) => !isWanted(route) && ours.some((other) => isSameTarget(route, other)),
  );
  return [
    ...gone.map((route) => routeCall("delete", index, { ...route, metric: undefined })),
    ...to.routes.filter((route) => !there(route)).map((route) => routeCall("add", index, route)),
    ...serverCalls(4, index, now, to),
    ...serverCalls(6, index, now, to),
    ...mtuCalls(index, now, to),
    ...(now.routerDiscovery === to.routerDiscovery
      ? []
      : [v6("set", "interface", `interface=${index}`, `routerdiscovery=${onOff(to.routerDiscovery)}`)]),
  ];
}

function addresses4(index: number, now: AdapterState, to: AdapterState): NetshCall[] {
  if (to.dhcp4) return now.dhcp4 ? [] : [v4("set", "address", `name=${index}`, "source=dhcp")];
  const isThere =
    !now.dhcp4 &&
    now.addresses4.length === to.addresses4.length &&
    to.addresses4.every((address) => now.addresses4.some((other) => isSame(address, other))) &&
    isSameGateway(now.gateway4, to.gateway4);
  const [first, ...more] = to.addresses4;
  if (isThere || first === undefined) return [];
  const { gateway4 } = to;
  const gateway = gateway4
    ? [`gateway=${gateway4.via}`, ...(gateway4.metric === undefined ? [] : [`gwmetric=${gateway4.metric}`])]
    : ["gateway=none"];
  const name = `name=${index}`;
  return [
    v4(
      "set",
      "address",
      name,
      "source=static",
      `address=${hostOf(first)}`,
      `mask=${maskOf(first)}`,
      ...gateway,
    ),
    ...more.map((address) =>
      v4("add", "address", name, `address=${hostOf(address)}`, `mask=${maskOf(address)}`),
    ),
  ];
}

function routeCall(
  verb: "add" | "delete",
  index: number,
  { to, via, metric }: { to: string; via?: string | undefined; metric?: number | undefined },
): NetshCall {
  const family = to.includes(":") ? v6 : v4;
  return family(
    ...[verb, "route", `prefix=${to}`, `interface=${index}`],
    ...(via === undefined ? [] : [`nexthop=${via}`]),
    ...(metric === undefined ? [] : [`metric=${metric}`]),
  );
}

function serverCalls(family: 4 | 6, index: number, now: AdapterState, to: AdapterState): NetshCall[] {
  const [is, wanted] =
    family === 4 ? [now.nameServers4, to.nameServers4] : [now.nameServers6, to.nameServers6];
  const isThere = is.length === wanted.length && wanted.every((address, i) => isSame(address, is[i] ?? ""));
  if (isThere) return [];
  const call = family === 4 ? v4 : v6;
  const name = `name=${index}`;
  if (wanted.length === 0) {
    const isFree = family === 6 || to.dhcp4;
    const source = isFree ? ["source=dhcp"] : ["source=static", "address=none", "validate=no"];
    return [call("set", "dnsservers", name, ...source)];
  }
  return wanted.map((address, i) =>
    i === 0
      ? call("set", "dnsservers", name, "source=static", `address=${address}`, "validate=no")
      : call("add", "dnsservers", name, `address=${address}`, `index=${i + 1}`, "validate=no"),
  );
}

function mtuCalls(index: number, now: AdapterState, to: AdapterState): NetshCall[] {
  const set = ["set", "subinterface", `interface=${index}`];
  return [
    ...(now.mtu4 === to.mtu4 ? [] : [v4(...set, `mtu=${to.mtu4}`, "store=persistent")]),
    ...(now.mtu6 === to.mtu6 ? [] : [v6(...set, `mtu=${to.mtu6}`, "store=persistent")]),
  ];
}

function v4(...words: readonly string[]): NetshCall {
  return ["interface", "ipv4", ...words];
}

function v6(...words: readonly string[]): NetshCall {
  return ["interface", "ipv6", ...words];
}

function onOff(value: boolean): string {
  return value ? "enabled" : "disabled";
}

function hostOf(cidr: string): string {
  return cidr.split("/", 1)[0] ?? "";
}

/** "255.255.255.0" for "192.0.2.5/24". */
function maskOf(cidr: string): string {
  const bits = Number(cidr.split("/")[1]);
  const ones = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (ones >>> shift) & 0xff).join(".");
}

type Gateway = AdapterState["gateway4"];

/** Without a metric any will do. */
function isSameGateway(now: Gateway, to: Gateway): boolean {
  if (!now || !to) return now === to;
  return now.via === to.via && (to.metric === undefined || to.metric === now.metric);
}

function isSameTarget(a: WantedRoute, b: WantedRoute): boolean {
  return routeFamily(a) === routeFamily(b) && isSame(a.to, b.to) && isSame(a.via ?? "", b.via ?? "");
}

function isSameRoute(wanted: WantedRoute, other: WantedRoute): boolean {
  const isAny = wanted.metric === undefined || other.metric === undefined;
  return isSameTarget(wanted, other) && (isAny || wanted.metric === other.metric);
}

/** Of two addresses, or networks, in whatever way they are written. */
function isSame(a: string, b: string): boolean {
  return a === b || canonical(a) === canonical(b);
}

function canonical(text: string): string {
  const [address = "", prefix] = text.split("/");
  if (!address.includes(":") || !URL.canParse(`http://[${address}]`)) return text;
  const written = new URL(`http://[${address}]`).hostname;
  return prefix === undefined ? written : `${written}/${prefix}`;
}
