import type { ConfigFile, FileSet } from "../config-files.ts";
import { type Interface, defaultRoutes, routeTarget } from "./plan.ts";
import type { Route } from "./schema.ts";
import { type Line, iniFile, yesNo } from "./sections.ts";

/** Before those of netplan and of most people, so that ours are the first that match. */
const prefix = "10-limiquantix-";

/** systemd.network(5): networkd is another user and has to read them; there is nothing secret in them. */
const mode = 0o644;

/** Whether a file in /etc/systemd/network is one of these. */
export function isNetworkdFile(name: string): boolean {
  return name.startsWith(prefix) && /\.(network|netdev)$/.test(name);
}

/** The interface that a file is about, by its name. */
export function interfaceOf(file: string): string {
  return file.slice(prefix.length, file.lastIndexOf("."));
}

/** systemd.network(5) and systemd.netdev(5) files for these interfaces. */
export function networkdFiles(interfaces: readonly Interface[]): FileSet {
  const files = new Map<string, ConfigFile>();
  for (const each of interfaces) {
    if (each.kind !== "ethernet") files.set(`${prefix}${each.name}.netdev`, { mode, content: netdev(each) });
    files.set(`${prefix}${each.name}.network`, { mode, content: network(each) });
  }
  return files;
}

function netdev(each: Interface): string {
  const { mtu, macaddress } = each.settings;
  return iniFile([
    [
      "NetDev",
      [
        ["Name", each.name],
        ["Kind", each.kind],
        ["MTUBytes", mtu],
        ["MACAddress", macaddress],
      ],
    ],
    ["VLAN", each.kind === "vlan" ? [["Id", each.settings.id]] : []],
    ["Bond", bondLines(each)],
  ]);
}

function bondLines(each: Interface): Line[] {
  if (each.kind !== "bond") return [];
  const { parameters } = each.settings;
  return [
    ["Mode", parameters.mode],
    ["MIIMonitorSec", inMilliseconds(parameters["mii-monitor-interval"])],
    ["UpDelaySec", inMilliseconds(parameters["up-delay"])],
    ["DownDelaySec", inMilliseconds(parameters["down-delay"])],
    ["LACPTransmitRate", parameters["lacp-rate"]],
    ["MinLinks", parameters["min-links"]],
    ["TransmitHashPolicy", parameters["transmit-hash-policy"]],
  ];
}

function inMilliseconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value}ms`;
}

function network(each: Interface): string {
  const { settings, bond, vlans } = each;
  const isVirtual = each.kind !== "ethernet";
  return iniFile([
    ["Match", matchLines(each)],
    [
      "Link",
      [
        ["MTUBytes", isVirtual ? undefined : settings.mtu],
        ["MACAddress", isVirtual ? undefined : settings.macaddress],
        ["RequiredForOnline", settings.optional ? "no" : undefined],
      ],
    ],
    [
      "Network",
      [
        ...(bond === undefined ? addressLines(each) : []),
        ["Bond", bond?.name],
        ["PrimarySlave", bond?.isPrimary ? "yes" : undefined],
        ...vlans.map((name): Line => ["VLAN", name]),
        // Else a VLAN without an address, and a bond whose parts are not there yet, would wait for ever.
        ["ConfigureWithoutCarrier", isVirtual ? "yes" : undefined],
      ],
    ],
    ["DHCPv4", settings.dhcp4 && settings["dhcp-identifier"] ? [["ClientIdentifier", "mac"]] : []],
    ...[...defaultRoutes(each), ...settings.routes].map((route) => ["Route", routeLines(route)] as const),
  ]);
}

function matchLines(each: Interface): Line[] {
  const match = each.kind === "ethernet" ? each.settings.match : undefined;
  if (match === undefined) return [["Name", each.name]];
  // A VLAN has the MAC address of what it is on, and is of another type.
  const isEthernet = match.macaddress === undefined ? undefined : "ether";
  return [
    ["Name", match.name],
    ["MACAddress", match.macaddress],
    ["Type", isEthernet],
  ];
}

function addressLines({ settings }: Interface): Line[] {
  const { dhcp4, dhcp6, addresses, nameservers } = settings;
  const search = nameservers.search.join(" ");
  return [
    ["DHCP", dhcp4 && dhcp6 ? "yes" : dhcp4 ? "ipv4" : dhcp6 ? "ipv6" : "no"],
    ["LinkLocalAddressing", "ipv6"],
    ["IPv6AcceptRA", yesNo(settings["accept-ra"])],
    ...addresses.map((address): Line => ["Address", address]),
    ...nameservers.addresses.map((address): Line => ["DNS", address]),
    ["Domains", search === "" ? undefined : search],
  ];
}

function routeLines(route: Route): Line[] {
  return [
    ["Destination", routeTarget(route)],
    ["Gateway", route.via],
    ["Metric", route.metric],
    ["GatewayOnLink", yesNo(route["on-link"])],
    ["Scope", route.via === undefined ? "link" : undefined],
  ];
}
