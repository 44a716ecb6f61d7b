import type { NetworkAdapter } from "../../../native/windows.ts";

/** What is in force, for people: an adapter in a paragraph. */
export function shown(adapters: readonly NetworkAdapter[]): string {
  return adapters.map((each) => `${paragraph(each).join("\n")}\n`).join("\n");
}

function paragraph(adapter: NetworkAdapter): string[] {
  const { name, title, index, mac, isUp, dhcp4, mtu4, mtu6 } = adapter;
  const line = (key: string, values: readonly string[]): string[] =>
    values.map((value) => `  ${key}: ${value}`);
  return [
    `${name}: ${title}`,
    ...line("index", [String(index)]),
    ...line("MAC", mac === "" ? [] : [mac]),
    ...line("state", [isUp ? "up" : "down"]),
    ...line("MTU", [mtu4 === mtu6 || mtu6 === 0 ? String(mtu4) : `${mtu4}, of IPv6 ${mtu6}`]),
    ...line("IPv4", [dhcp4 ? "DHCP" : "static"]),
    ...line(
      "address",
      adapter.addresses.map(
        ({ address, prefix, isStatic }) => `${address}/${prefix}${isStatic ? " (static)" : ""}`,
      ),
    ),
    ...line(
      "route",
      adapter.routes.map(
        ({ network, prefix, nextHop, metric, isStatic }) =>
          `${network}/${prefix}${/^(0\.0\.0\.0|::)$/.test(nextHop) ? "" : ` via ${nextHop}`} metric ${metric}${isStatic ? " (static)" : ""}`,
      ),
    ),
    ...line("name server", adapter.nameServers),
  ];
}
