import net from "node:net";
import * as v from "valibot";

// What is behind the keys of a netplan document, where this agent converts it: each is checked, so that whatever is written
// into a configuration file is one value in one line, and nothing else.

export const text = v.string("must be one value");

export const flag = v.pipe(
  text,
  v.check((value) => /^(true|false|yes|no|on|off|y|n)$/i.test(value), "must be true or false"),
  v.transform((value) => /^(true|yes|on|y)$/i.test(value)),
);

export function whole(least: number, most: number) {
  const isIn = (value: string): boolean => Number(value) >= least && Number(value) <= most;
  return v.pipe(
    text,
    v.check((value) => /^\d{1,10}$/.test(value) && isIn(value), `must be a number from ${least} to ${most}`),
    v.transform(Number),
  );
}

/** "192.0.2.5/24": an address with the length of its network's prefix. */
export const cidr = v.pipe(text, v.check(isCidr, 'must be an address with a prefix, like "192.0.2.5/24"'));

export const ipv4 = v.pipe(
  text,
  v.check((value) => net.isIPv4(value), "must be an IPv4 address"),
);
export const ipv6 = v.pipe(text, v.check(isPlainIpv6, "must be an IPv6 address"));
export const ip = v.pipe(
  text,
  v.check((value) => familyOf(value) !== 0, "must be an IP address"),
);

export const mac = v.pipe(
  text,
  v.check((value) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value), 'must be like "52:54:00:12:34:56"'),
);

/** "~" routes names to this interface's servers: systemd-resolved has that, and others take it for a part of the name. */
export const domain = v.pipe(
  text,
  v.check((value) => /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$/.test(value), "must be a domain"),
);

/** In Windows names may have spaces, and be long; isKernelName() tells those that Linux takes. */
export const interfaceName = v.pipe(
  text,
  v.check(
    (value) => /^[A-Za-z0-9_]([A-Za-z0-9_.@ -]{0,62}[A-Za-z0-9_.@-])?$/.test(value),
    "must be an interface's name",
  ),
);

/** What the kernel takes for an interface: 15 characters. */
export function isKernelName(name: string): boolean {
  return name.length <= 15 && !name.includes(" ");
}

/** "100", in milliseconds, or "100ms". */
export const milliseconds = v.pipe(
  text,
  v.check((value) => /^\d{1,7}(ms)?$/.test(value), "must be a number of milliseconds"),
  v.transform((value) => Number.parseInt(value, 10)),
);

/** 4 or 6; 0 for what is no address. Without a zone: that is of no use in a configuration. */
export function familyOf(address: string): 0 | 4 | 6 {
  if (net.isIPv4(address)) return 4;
  return isPlainIpv6(address) ? 6 : 0;
}

function isPlainIpv6(address: string): boolean {
  return net.isIPv6(address) && !address.includes("%");
}

function isCidr(value: string): boolean {
  const [, address = "", prefix = ""] = /^([^/]+)\/(\d{1,3})$/.exec(value) ?? [];
  const family = familyOf(address);
  return family !== 0 && Number(prefix) <= (family === 4 ? 32 : 128);
}
