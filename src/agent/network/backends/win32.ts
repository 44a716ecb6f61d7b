import os from "node:os";
import type { NetworkSystem } from "./backend.ts";
import { Netsh } from "./netsh.ts";

export const system: NetworkSystem = {
  backends: (options) => [new Netsh(options)],
  /** netsh's dump has it. */
  setMtu: () => Promise.resolve(),
  /** Their MTU is not told there. */
  interfaces: () =>
    Promise.resolve(
      Object.entries(os.networkInterfaces()).map(([name, addresses = []]) => {
        const of = (family: string): string[] =>
          addresses.flatMap((each) => (each.family === family && each.cidr !== null ? [each.cidr] : []));
        return { name, mtu: 0, ipv4Addresses: of("IPv4"), ipv6Addresses: of("IPv6") };
      }),
    ),
};
