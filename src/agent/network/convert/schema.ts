import * as v from "valibot";
import { cidr, domain, flag, interfaceName, ip, ipv4, ipv6, mac, milliseconds, whole } from "./values.ts";

// What of netplan's language this agent converts itself, where there is no netplan. A key that is not here is refused.

const mostItems = 256;
const many = <T extends v.GenericSchema>(item: T) =>
  v.pipe(v.array(item, "must be a list"), v.maxLength(mostItems, `must have at most ${mostItems} items`));

const route = v.strictObject({
  to: v.union([v.literal("default"), cidr, ip], 'must be "default" or a network, like "198.51.100.0/24"'),
  via: v.optional(ip),
  metric: v.optional(whole(0, 4_294_967_295)),
  "on-link": v.optional(flag),
});

const common = {
  renderer: v.optional(v.picklist(["networkd", "NetworkManager"], "must be networkd or NetworkManager")),
  dhcp4: v.optional(flag, "false"),
  dhcp6: v.optional(flag, "false"),
  "accept-ra": v.optional(flag),
  "dhcp-identifier": v.optional(v.literal("mac", 'can only be "mac"')),
  addresses: v.optional(many(cidr), []),
  gateway4: v.optional(ipv4),
  gateway6: v.optional(ipv6),
  routes: v.optional(many(route), []),
  nameservers: v.optional(
    v.strictObject({ addresses: v.optional(many(ip), []), search: v.optional(many(domain), []) }),
    {},
  ),
  mtu: v.optional(whole(68, 65_535)),
  macaddress: v.optional(mac),
  optional: v.optional(flag, "false"),
};

const ethernet = v.strictObject({
  ...common,
  match: v.optional(
    v.pipe(
      v.strictObject({ name: v.optional(interfaceName), macaddress: v.optional(mac) }),
      v.check(
        ({ name, macaddress }) => name !== undefined || macaddress !== undefined,
        "must name something",
      ),
    ),
  ),
});

const vlan = v.strictObject({ ...common, id: whole(0, 4094), link: interfaceName });

/** As the kernel names them, in the order of its numbers. */
const bondModes = [
  "balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb",
] as const; // prettier-ignore
const hashPolicies = ["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"] as const;

const bond = v.strictObject({
  ...common,
  interfaces: many(interfaceName),
  parameters: v.optional(
    v.strictObject({
      mode: v.optional(v.picklist(bondModes, `must be one of ${bondModes.join(", ")}`), "balance-rr"),
      "mii-monitor-interval": v.optional(milliseconds),
      "up-delay": v.optional(milliseconds),
      "down-delay": v.optional(milliseconds),
      "lacp-rate": v.optional(v.picklist(["slow", "fast"], "must be slow or fast")),
      "min-links": v.optional(whole(0, 255)),
      "transmit-hash-policy": v.optional(
        v.picklist(hashPolicies, `must be one of ${hashPolicies.join(", ")}`),
      ),
      primary: v.optional(interfaceName),
    }),
    {},
  ),
});

const section = <T extends v.GenericSchema>(settings: T) =>
  v.optional(v.record(interfaceName, settings, "must have an interface for each key"), {});

export const convertibleSchema = v.strictObject({
  version: v.literal("2"),
  renderer: common.renderer,
  ethernets: section(ethernet),
  vlans: section(vlan),
  bonds: section(bond),
});

export type Convertible = v.InferOutput<typeof convertibleSchema>;
export type Bond = v.InferOutput<typeof bond>;
export type Vlan = v.InferOutput<typeof vlan>;
export type Ethernet = v.InferOutput<typeof ethernet>;
export type Route = v.InferOutput<typeof route>;
