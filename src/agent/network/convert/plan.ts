import * as v from "valibot";
import { CodedError } from "../../../wire/errors.ts";
import { type NetworkDocument, type YamlValue, isEmpty, isYamlMap } from "../document.ts";
import {
  type Bond,
  type Convertible,
  type Ethernet,
  type Route,
  type Vlan,
  convertibleSchema,
} from "./schema.ts";
import { familyOf } from "./values.ts";

/** An interface as it is to be, in whatever language it is written down. */
export type Interface = {
  name: string;
  settings: Ethernet | Vlan | Bond;
  /** The bond that it is a part of. */
  bond?: { name: string; isPrimary: boolean };
  /** Those on top of it. */
  vlans: string[];
} & (
  | { kind: "ethernet"; settings: Ethernet }
  | { kind: "vlan"; settings: Vlan }
  | { kind: "bond"; settings: Bond }
);

/** Who converts, for the messages. */
export interface Converter {
  /** "systemd-networkd" */
  title: string;
  /** What `renderer` must be, where it is given. */
  renderer: string;
  /** Whether it takes this for the name of an interface. */
  isName(name: string): boolean;
}

/** What a document says, for guests without netplan. Throws CodedError network with the key of what is not convertible. */
export function planOf(document: NetworkDocument, converter: Converter): Interface[] {
  const result = v.safeParse(convertibleSchema, withoutEmpty(document.network));
  if (!result.success) throw problemOf(result.issues[0], converter);
  const { output } = result;
  checkRenderer(output, converter);
  const interfaces = interfacesOf(output);
  checkNames(interfaces, converter);
  for (const each of interfaces) checkRoutes(each);
  return interfaces.map((each) => connected(each, output, interfaces));
}

/** Where the key of an interface is in the document. */
export function keyOf({ kind, name }: Pick<Interface, "kind" | "name">, key: string): string {
  return `${kind}s.${name}.${key}`;
}

/** An address family's gateway for all that no other route leads to. */
export function defaultRoutes({ settings }: Interface): Route[] {
  const { gateway4, gateway6 } = settings;
  return [gateway4, gateway6].flatMap((via) => (via === undefined ? [] : [{ to: "default", via }]));
}

/** Of a route's target, or where that does not tell, its gateway. */
export function routeFamily({ to, via }: Route): 4 | 6 {
  const address = to === "default" ? (via ?? "") : (to.split("/", 1)[0] ?? "");
  return familyOf(address) === 6 ? 6 : 4;
}

/** "198.51.100.7" is a host, "default" everything. */
export function routeTarget(route: Route): string {
  const family = routeFamily(route);
  if (route.to === "default") return family === 4 ? "0.0.0.0/0" : "::/0";
  if (route.to.includes("/")) return route.to;
  return `${route.to}/${family === 4 ? 32 : 128}`;
}

function interfacesOf({ ethernets, vlans, bonds }: Convertible): Interface[] {
  return [
    ...Object.entries(ethernets).map(([name, settings]): Interface => ({
      kind: "ethernet",
      name,
      settings,
      vlans: [],
    })),
    ...Object.entries(bonds).map(([name, settings]): Interface => ({
      kind: "bond",
      name,
      settings,
      vlans: [],
    })),
    ...Object.entries(vlans).map(([name, settings]): Interface => ({
      kind: "vlan",
      name,
      settings,
      vlans: [],
    })),
  ];
}

function connected(each: Interface, { bonds, vlans }: Convertible, all: readonly Interface[]): Interface {
  if (each.kind === "vlan") requireInterface(all, each.settings.link, keyOf(each, "link"));
  if (each.kind === "bond") {
    const { interfaces, parameters } = each.settings;
    for (const name of interfaces) requireInterface(all, name, keyOf(each, "interfaces"));
    checkBond(each.name, parameters, interfaces);
  }
  const [owner, second] = Object.entries(bonds).filter(([, { interfaces }]) =>
    interfaces.includes(each.name),
  );
  if (owner === undefined) return { ...each, vlans: vlansOn(each.name, vlans) };
  if (second) throw refused(`${each.name} cannot be a part of both ${owner[0]} and ${second[0]}`);
  if (each.kind !== "ethernet")
    throw refused(`${each.name} cannot be a part of ${owner[0]}: only ethernets can`);
  if (hasAddresses(each))
    throw refused(
      `ethernets.${each.name} is a part of ${owner[0]}, which has the addresses; it can have none`,
    );
  const isPrimary = owner[1].parameters.primary === each.name;
  return { ...each, vlans: vlansOn(each.name, vlans), bond: { name: owner[0], isPrimary } };
}

/** What the kernel refuses, and its services with it. */
function checkBond(name: string, parameters: Bond["parameters"], parts: readonly string[]): void {
  const { mode, primary } = parameters;
  const wrong = (key: keyof typeof parameters, why: string): CodedError =>
    refused(`bonds.${name}.parameters.${key}: ${why}`);
  if (primary !== undefined && !parts.includes(primary))
    throw wrong("primary", `${primary} is not among its interfaces`);
  if (primary !== undefined && !["active-backup", "balance-tlb", "balance-alb"].includes(mode))
    throw wrong("primary", `mode ${mode} has none`);
  if (parameters["lacp-rate"] !== undefined && mode !== "802.3ad")
    throw wrong("lacp-rate", `mode ${mode} has none; 802.3ad has`);
  for (const key of ["up-delay", "down-delay"] as const) {
    if (parameters[key] !== undefined && !parameters["mii-monitor-interval"])
      throw wrong(key, "needs a mii-monitor-interval");
  }
}

function vlansOn(name: string, vlans: Convertible["vlans"]): string[] {
  return Object.entries(vlans).flatMap(([vlan, { link }]) => (link === name ? [vlan] : []));
}

function hasAddresses({ settings }: Interface): boolean {
  const { dhcp4, dhcp6, addresses, gateway4, gateway6, routes } = settings;
  return dhcp4 || dhcp6 || addresses.length + routes.length > 0 || (gateway4 ?? gateway6) !== undefined;
}

function requireInterface(all: readonly Interface[], name: string, key: string): void {
  if (!all.some((each) => each.name === name)) throw refused(`${key}: there is no ${name} in the document`);
}

function checkNames(interfaces: readonly Interface[], converter: Converter): void {
  const names = interfaces.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw refused(`${twice} is there more than once`);
  const matched = interfaces.flatMap(({ kind, settings }) =>
    kind === "ethernet" ? (settings.match?.name ?? []) : [],
  );
  const wrong = [...names, ...matched].find((name) => !converter.isName(name));
  if (wrong !== undefined)
    throw refused(`${JSON.stringify(wrong)} cannot be the name of an interface with ${converter.title}`);
}

function checkRoutes(each: Interface): void {
  for (const [i, route] of each.settings.routes.entries()) {
    const { to, via } = route;
    const key = keyOf(each, `routes[${i}]`);
    if (to === "default" && via === undefined) throw refused(`${key}: a default route needs "via"`);
    if (via !== undefined && to !== "default" && familyOf(via) !== routeFamily(route))
      throw refused(`${key}: ${to} cannot be reached via ${via}`);
  }
}

function checkRenderer({ renderer, ...rest }: Convertible, converter: Converter): void {
  const settings = [
    ...Object.values(rest.ethernets),
    ...Object.values(rest.vlans),
    ...Object.values(rest.bonds),
  ];
  const other = [renderer, ...settings.map((each) => each.renderer)].find(
    (name) => name !== undefined && name !== converter.renderer,
  );
  if (other !== undefined)
    throw refused(`renderer: ${other} does not run in this guest, ${converter.title} does; leave it out`);
}

/** A key without a value is as good as none. */
function withoutEmpty(value: YamlValue | NetworkDocument["network"]): YamlValue {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(withoutEmpty);
  const section = value as Record<string, YamlValue>;
  return Object.fromEntries(
    Object.entries(section).map(([key, item]) => [
      key,
      isEmpty(item) && isSection(key) ? {} : withoutEmpty(item),
    ]),
  );
}

function isSection(key: string): boolean {
  return ["ethernets", "vlans", "bonds"].includes(key);
}

function problemOf(issue: v.BaseIssue<unknown>, { title }: Converter): CodedError {
  const key = (issue.path ?? [])
    .map((item) => (typeof item.key === "number" ? `[${item.key}]` : `.${String(item.key)}`))
    .join("")
    .slice(1);
  const isUnknown = issue.kind === "schema" && issue.type === "strict_object" && issue.expected === "never";
  if (isUnknown)
    return refused(
      `${key} is not supported where netplan is missing: this guest has ${title}, for which it is converted`,
    );
  const isMissing =
    issue.kind === "schema" && issue.type === "strict_object" && issue.received === "undefined";
  return refused(`${key}: ${isMissing ? "is missing" : explain(issue)}`);
}

function explain({ message, type, input }: v.BaseIssue<unknown>): string {
  if (type === "strict_object") return `must have keys and values`;
  if (isYamlMap(input as YamlValue) && type === "string") return "must be one value";
  return message;
}

function refused(problem: string): CodedError {
  return new CodedError("network", problem);
}
