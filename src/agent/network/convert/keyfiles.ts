import { createHash } from "node:crypto";
import type { ConfigFile, FileSet } from "../config-files.ts";
import { type Interface, defaultRoutes, routeFamily, routeTarget } from "./plan.ts";
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
  const hasStatic = settings.addresses.some((address) => !address.includes(":"));
  return [
    ["method", settings.dhcp4 ? "auto" : hasStatic ? "manual" : "disabled"],
    ["dhcp-client-id", settings.dhcp4 ? settings["dhcp-identifier"] : undefined],
    ...familyLines(each, 4),
  ];
}

function ipv6Lines(each: Interface): Line[] {
  const { settings } = each;
  const acceptsRa = settings["accept-ra"];
  const hasStatic = settings.addresses.some((address) => address.includes(":"));
  const isAutomatic = settings.dhcp6 || (acceptsRa ?? false);
  const otherwise = hasStatic ? "manual" : acceptsRa === false ? "link-local" : "ignore"; // the kernel's own way
  return [["method", isAutomatic ? "auto" : otherwise], ...familyLines(each, 6)];
}

function familyLines(each: Interface, family: 4 | 6): Line[] {
  const { addresses, nameservers, routes } = each.settings;
  const ours = addresses.filter((address) => familyOf(address.split("/", 1)[0] ?? "") === family);
  const servers = nameservers.addresses.filter((address) => familyOf(address) === family);
  const all = [...defaultRoutes(each), ...routes].filter((route) => routeFamily(route) === family);
  return [
    ...ours.map((address, i): Line => [`address${i + 1}`, address]),
    ...all.flatMap((route, i): Line[] => [
      [
        `route${i + 1}`,
        [routeTarget(route), route.via ?? "", route.metric].filter((x) => x !== undefined).join(","),
      ],
      [`route${i + 1}_options`, route["on-link"] ? "onlink=true" : undefined],
    ]),
    ["dns", listOf(servers)],
    ["dns-search", servers.length > 0 || family === 4 ? listOf(nameservers.search) : undefined],
  ];
}

function listOf(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : `${values.join(";")};`;
}
