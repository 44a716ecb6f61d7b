import { createHash } from "node:crypto";
import type { ConfigFile, FileSet } from "../config-files.ts";
import { CodedError } from "../../../wire/errors.ts";
import { type Interface, defaultRoutes, keyOf, routeFamily, routeTarget } from "./plan.ts";
import type { Route } from "./schema.ts";
import { type Line, iniFile } from "./sections.ts";
import { familyOf } from "./values.ts";

const prefix = "limiquantix-";
const suffix = ".nmconnection";

/** NetworkManager takes none that others may read. */
const mode = 0o600;

/** Before the profiles that it has made or found by itself, which have 0 or less. */
const priority = 100;

/** Whether a file in NetworkManager's folder is one of these. */
export function isKeyfile(name: string): boolean {
  return name.startsWith(prefix) && name.endsWith(suffix);
}

/** The interface that a file is about, by its name. */
export function interfaceOf(file: string): string {
  return file.slice(prefix.length, -suffix.length);
}

/** The same for each interface of this name, so that a profile that is written again stays the same. */
export function uuidOf(name: string): string {
  const hash = createHash("sha256").update(`limiquantix-guest-agent network ${name}`).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6); // RFC 9562: version 8, of one's own
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** NetworkManager's keyfiles (nm-settings-keyfile(5)) for these interfaces. */
export function keyfiles(interfaces: readonly Interface[]): FileSet {
  return new Map(
    interfaces.map((each): [string, ConfigFile] => [
      `${prefix}${each.name}${suffix}`,
      { mode, content: keyfile(each, interfaces) },
    ]),
  );
}

function keyfile(each: Interface, all: readonly Interface[]): string {
  const { settings, bond, name } = each;
  const match = each.kind === "ethernet" ? each.settings.match : undefined;
  return iniFile([
    [
      "connection",
      [
        ["id", `${prefix}${name}`],
        ["uuid", uuidOf(name)],
        ["type", each.kind],
        ["interface-name", match ? match.name : name],
        ["autoconnect-priority", priority],
        ["master", bond?.name],
        ["slave-type", bond && "bond"],
        // A bond that comes up takes its parts with it.
        ["autoconnect-slaves", each.kind === "bond" ? 1 : undefined],
      ],
    ],
    [
      "ethernet",
      [
        ["mac-address", match?.macaddress],
        ["cloned-mac-address", settings.macaddress],
        ["mtu", settings.mtu],
      ],
    ],
    ["vlan", vlanLines(each, all)],
    ["bond", bondLines(each)],
    ["ipv4", bond ? [] : ipv4Lines(each)],
    ["ipv6", bond ? [] : ipv6Lines(each)],
  ]);
}

function vlanLines(each: Interface, all: readonly Interface[]): Line[] {
  if (each.kind !== "vlan") return [];
  const { id, link } = each.settings;
  const parent = all.find(({ name }) => name === link);
  // What the system calls an interface that is found by what it is, nobody knows here; its profile is known.
  const isFound = parent?.kind === "ethernet" && parent.settings.match !== undefined;
  return [
    ["id", id],
    ["parent", isFound ? uuidOf(link) : link],
  ];
}

function bondLines(each: Interface): Line[] {
  if (each.kind !== "bond") return [];
  const { parameters } = each.settings;
  return [
    ["mode", parameters.mode],
    ["miimon", parameters["mii-monitor-interval"]],
    ["updelay", parameters["up-delay"]],
    ["downdelay", parameters["down-delay"]],
    ["lacp_rate", parameters["lacp-rate"]],
    ["min_links", parameters["min-links"]],
    ["xmit_hash_policy", parameters["transmit-hash-policy"]],
    ["primary", parameters.primary],
  ];
}

function ipv4Lines(each: Interface): Line[] {
  const { settings } = each;
  const what = ofFamily(each, 4);
  const method = settings.dhcp4 ? "auto" : what.addresses.length > 0 ? "manual" : "disabled";
  if (method === "disabled") refuseWithoutAddress(each, 4, what);
  return [
    ["method", method],
    ["dhcp-client-id", settings.dhcp4 ? settings["dhcp-identifier"] : undefined],
    ...(method === "disabled" ? [] : familyLines(what)),
  ];
}

function ipv6Lines(each: Interface): Line[] {
  const { settings } = each;
  const what = ofFamily(each, 6);
  const acceptsRa = settings["accept-ra"];
  if (settings.dhcp6 || acceptsRa === true) return [["method", "auto"], ...familyLines(what)];
  if (what.addresses.length > 0) return [["method", "manual"], ...familyLines(what)];
  if (acceptsRa === false) {
    refuseWithoutAddress(each, 6, what);
    return [["method", "link-local"]];
  }
  // Left to the kernel, NetworkManager has no place for name servers and routes.
  if (what.servers.length + what.routes.length > 0) return [["method", "auto"], ...familyLines(what)];
  return [["method", "ignore"]];
}

interface FamilyPart {
  addresses: string[];
  servers: string[];
  routes: Route[];
  search: string[];
}

function ofFamily(each: Interface, family: 4 | 6): FamilyPart {
  const { addresses, nameservers, routes } = each.settings;
  const isOf = (address: string): boolean => familyOf(address.split("/", 1)[0] ?? "") === family;
  return {
    addresses: addresses.filter(isOf),
    servers: nameservers.addresses.filter(isOf),
    routes: [...defaultRoutes(each), ...routes].filter((route) => routeFamily(route) === family),
    search: nameservers.search,
  };
}

/** NetworkManager takes neither where a family is not in use. */
function refuseWithoutAddress(each: Interface, family: 4 | 6, { servers, routes }: FamilyPart): void {
  const key = servers.length > 0 ? "nameservers.addresses" : routes.length > 0 ? "routes" : undefined;
  if (key === undefined) return;
  const why = `${each.name} has no IPv${family} address, and NetworkManager takes none of IPv${family} then`;
  throw new CodedError("network", `${keyOf(each, key)}: ${why}`);
}

function familyLines({ addresses, servers, routes, search }: FamilyPart): Line[] {
  return [
    ...addresses.map((address, i): Line => [`address${i + 1}`, address]),
    ...routes.flatMap((route, i): Line[] => [
      [`route${i + 1}`, routeValue(route)],
      [`route${i + 1}_options`, route["on-link"] ? "onlink=true" : undefined],
    ]),
    ["dns", listOf(servers)],
    ["dns-search", listOf(search)],
  ];
}

/** "target", or "target,gateway,metric"; an empty gateway is none. */
function routeValue(route: Route): string {
  const { via, metric } = route;
  const gateway = via ?? (metric === undefined ? undefined : "");
  return [routeTarget(route), gateway, metric].filter((part) => part !== undefined).join(",");
}

function listOf(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : `${values.join(";")};`;
}
