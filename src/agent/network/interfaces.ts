import { setTimeout as sleep } from "node:timers/promises";
import type { NetworkInterface } from "../../native/sampler.ts";
import { type NetworkDocument, interfacesOf, isYamlMap } from "./document.ts";

/** What of an interface a configuration changes. */
export type InterfaceState = Pick<NetworkInterface, "name" | "mtu" | "ipv4Addresses" | "ipv6Addresses">;

/** What differs between two moments, a line each: "eth0: address 10.0.0.5/24 added". */
export function differences(before: readonly InterfaceState[], after: readonly InterfaceState[]): string[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))].sort();
  return names.flatMap((name) => {
    const old = before.find((each) => each.name === name);
    const now = after.find((each) => each.name === name);
    const gone = addressesOf(old).filter((address) => !addressesOf(now).includes(address));
    const added = addressesOf(now).filter((address) => !addressesOf(old).includes(address));
    return [
      ...(old ? [] : [`${name}: added`]),
      ...gone.map((address) => `${name}: address ${address} removed`),
      ...added.map((address) => `${name}: address ${address} added`),
      ...(old && now && old.mtu !== now.mtu ? [`${name}: MTU ${old.mtu} → ${now.mtu}`] : []),
      ...(now ? [] : [`${name}: removed`]),
    ];
  });
}

/** The static addresses that a document gives, as the kernel writes them. */
export function staticAddresses(document: NetworkDocument): string[] {
  return interfacesOf(document).flatMap(([, { addresses }]) => {
    if (!Array.isArray(addresses)) return [];
    // netplan has also `- "10.0.0.5/24": {label: …}`.
    const texts = addresses.map((item) => (isYamlMap(item) ? (Object.keys(item)[0] ?? "") : item));
    return texts.flatMap((item) => (typeof item === "string" ? [asKernel(item)] : []));
  });
}

/** What is applied comes into force some time later. */
export const usualSettleMs = 5_000;
const lookEveryMs = 100;
/** DHCP and router advertisements give back what a service has taken away. */
const quietMs = 1_000;

/** The interfaces when these addresses are there and nothing has changed for a second; or as they are at the deadline. */
export async function settled(
  look: () => Promise<readonly InterfaceState[]>,
  addresses: readonly string[],
  deadlineMs: number,
): Promise<readonly InterfaceState[]> {
  const end = performance.now() + deadlineMs;
  let last = await look();
  let quietSince = performance.now();
  for (;;) {
    const there = new Set(last.flatMap(addressesOf));
    const isQuiet = performance.now() - quietSince >= quietMs;
    if (performance.now() >= end || (isQuiet && addresses.every((address) => there.has(address))))
      return last;
    await sleep(lookEveryMs);
    const now = await look();
    if (differences(last, now).length > 0) quietSince = performance.now();
    last = now;
  }
}

function addressesOf(state: InterfaceState | undefined): string[] {
  return state ? [...state.ipv4Addresses, ...state.ipv6Addresses] : [];
}

/** "2001:db8::5/64" for "2001:DB8:0:0::5/64". */
function asKernel(cidr: string): string {
  const [address = "", prefix = ""] = cidr.split("/");
  if (!address.includes(":") || !URL.canParse(`http://[${address}]`)) return cidr;
  return `${new URL(`http://[${address}]`).hostname.slice(1, -1)}/${prefix}`;
}
