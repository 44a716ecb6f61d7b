import type { NetworkAdapter } from "../../../native/windows.ts";
import { CodedError } from "../../../wire/errors.ts";
import type { Wanted } from "./wanted.ts";

/** The adapter that a document means, by MAC address, name or number. Throws CodedError network for none, and for several. */
export function adapterFor(wanted: Wanted, adapters: readonly NetworkAdapter[]): NetworkAdapter {
  const { name, mac, matchName } = wanted;
  const named = mac === undefined ? byName(matchName ?? name, adapters) : byMac(mac, adapters);
  const found = mac !== undefined && matchName !== undefined ? byName(matchName, named) : named;
  const [adapter, second] = found;
  if (adapter && !second) {
    if (wanted.addresses6.length > 0 && adapter.mtu6 === 0)
      throw problem(name, `${adapter.name} does not speak IPv6, which is switched off there`);
    return adapter;
  }
  const what = mac === undefined ? `the name ${matchName ?? name}` : `the MAC address ${mac}`;
  if (second) throw problem(name, `${found.length} adapters have ${what}; match by another`);
  const there = adapters.map((each) => `${each.name} (${each.mac})`).join(", ");
  throw problem(name, `no adapter has ${what}; there is ${there === "" ? "none" : there}`);
}

function byMac(mac: string, adapters: readonly NetworkAdapter[]): readonly NetworkAdapter[] {
  return adapters.filter((each) => each.mac === mac);
}

/** Names are alike for Windows whatever their case is. A number is a name first. */
function byName(name: string, adapters: readonly NetworkAdapter[]): readonly NetworkAdapter[] {
  const lower = name.toLowerCase();
  const named = adapters.filter((each) => each.name.toLowerCase() === lower);
  if (named.length > 0 || !/^\d{1,10}$/.test(name)) return named;
  return adapters.filter((each) => each.index === Number(name));
}

function problem(name: string, why: string): CodedError {
  return new CodedError("network", `ethernets.${name}: ${why}`);
}
