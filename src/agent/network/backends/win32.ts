import { addon } from "../../../native/addon.ts";
import type { NetworkSystem } from "./backend.ts";
import { Netsh } from "./netsh.ts";

export const system: NetworkSystem = {
  backends: (options) => [new Netsh(options, addon.networkAdapters)],
  /** To come back to what was there before includes it. */
  setMtu: () => Promise.resolve(),
  async interfaces() {
    return (await addon.networkAdapters()).map(({ name, mtu4, mtu6, addresses }) => {
      const cidrs = addresses.map(({ address, prefix }) => `${address}/${prefix}`);
      const isV6 = (cidr: string): boolean => cidr.includes(":");
      return {
        name,
        mtu: mtu4 === 0 ? mtu6 : mtu4,
        ipv4Addresses: cidrs.filter((cidr) => !isV6(cidr)),
        ipv6Addresses: cidrs.filter(isV6),
      };
    });
  },
};
