import { Sampler } from "../../../native/sampler.ts";
import type { InterfaceState } from "../interfaces.ts";
import type { NetworkSystem } from "./backend.ts";
import { NetworkManager } from "./network-manager.ts";
import { Netplan } from "./netplan.ts";
import { Networkd } from "./networkd.ts";

/** netplan is asked first: where it is there, the others do what it says. */
export const system: NetworkSystem = {
  backends: (options) => [new Netplan(options), new NetworkManager(options), new Networkd(options)],
  interfaces,
  async setMtu(tools, name, mtu) {
    await tools.expect("network", "ip", ["link", "set", "dev", name, "mtu", String(mtu)]);
  },
};

/** Of the system's own network, the loopback interface too. */
async function interfaces(): Promise<readonly InterfaceState[]> {
  const sampler = new Sampler();
  try {
    return (await sampler.sample()).interfaces ?? [];
  } finally {
    sampler.close();
  }
}
