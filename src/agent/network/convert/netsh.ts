import { CodedError } from "../../../wire/errors.ts";
import { type Interface, defaultRoutes, keyOf, routeFamily, routeTarget } from "./plan.ts";
import type { Route } from "./schema.ts";
import { familyOf } from "./values.ts";

/**
 * A script for `netsh exec` that configures these interfaces, named as Windows does. Throws CodedError network for what
 * netsh has no word for.
 */
export function netshScript(interfaces: readonly Interface[]): string {
  return (
    interfaces
      .flatMap((each) => [...addresses(each), ...routes(each), ...servers(each), ...mtu(each)])
      .join("\r\n") + "\r\n"
  );
}

function addresses(each: Interface): string[] {
  const { name, settings } = each;
  refuseOthers(each);
  const v4 = settings.addresses.filter((address) => !address.includes(":"));
  const v6 = settings.addresses.filter((address) => address.includes(":"));
  if (settings.dhcp4 && v4.length > 0)
    throw refused(
      `${keyOf(each, "addresses")}: Windows has no IPv4 address beside dhcp4; leave one of them out`,
    );
  const [first, ...more] = v4.map((address) => address.split("/") as [string, string]);
  const [gateway] = defaultRoutes(each).filter((route) => routeFamily(route) === 4);
  return [
    ...(settings.dhcp4 ? [`interface ipv4 set address name="${name}" source=dhcp`] : []),
    ...(first
      ? [
          `interface ipv4 set address name="${name}" source=static address=${first[0]} mask=${maskOf(first[1])} gateway=${gateway?.via ?? "none"}`,
        ]
      : []),
    ...more.map(
      ([address, prefix]) =>
        `interface ipv4 add address name="${name}" address=${address} mask=${maskOf(prefix)}`,
    ),
    ...v6.map((address) => `interface ipv6 add address interface="${name}" address=${address}`),
  ];
}

function routes(each: Interface): string[] {
  // The IPv4 gateway is a part of the first address.
  const others = defaultRoutes(each).filter((route) => routeFamily(route) === 6);
  return [...others, ...each.settings.routes].map((route) => routeLine(each.name, route));
}

function routeLine(name: string, route: Route): string {
  const hop = route.via === undefined ? "" : ` nexthop=${route.via}`;
  const metric = route.metric === undefined ? "" : ` metric=${route.metric}`;
  return `interface ipv${routeFamily(route)} add route prefix=${routeTarget(route)} interface="${name}"${hop}${metric}`;
}

function servers({ name, settings }: Interface): string[] {
  const { addresses: all } = settings.nameservers;
  return [4, 6].flatMap((family) => {
    const ours = all.filter((address) => familyOf(address) === family);
    const fromDhcp = family === 4 && settings.dhcp4 && ours.length === 0;
    if (fromDhcp) return [`interface ipv4 set dnsservers name="${name}" source=dhcp`];
    return ours.map((address, i) =>
      i === 0
        ? `interface ipv${family} set dnsservers name="${name}" source=static address=${address} validate=no`
        : `interface ipv${family} add dnsservers name="${name}" address=${address} index=${i + 1} validate=no`,
    );
  });
}

function mtu({ name, settings }: Interface): string[] {
  if (settings.mtu === undefined) return [];
  return [4, 6].map(
    (family) => `interface ipv${family} set subinterface "${name}" mtu=${settings.mtu} store=persistent`,
  );
}

function refuseOthers(each: Interface): void {
  const { kind, name, settings } = each;
  if (kind !== "ethernet")
    throw refused(`${kind}s.${name}: netsh cannot make one; Windows makes it with its own tools`);
  const unsupported: [key: string, value: unknown][] = [
    ["match", settings.match],
    ["macaddress", settings.macaddress],
    ["dhcp-identifier", settings["dhcp-identifier"]],
    ["accept-ra", settings["accept-ra"]],
    ["nameservers.search", settings.nameservers.search[0]],
  ];
  const given = unsupported.find(([, value]) => value !== undefined);
  if (given) throw refused(`${keyOf(each, given[0])} is not supported on Windows yet`);
}

/** "255.255.255.0" for 24. */
function maskOf(prefix: string): string {
  const bits = Number(prefix);
  const ones = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (ones >>> shift) & 0xff).join(".");
}

function refused(problem: string): CodedError {
  return new CodedError("network", problem);
}
