import type { WantedRoute } from "./wanted.ts";

/** Of two addresses, or networks, in whatever way they are written. */
export function isSame(a: string, b: string): boolean {
  return a === b || canonical(a) === canonical(b);
}

/** For the same network by the same way. */
export function isSameTarget(a: WantedRoute, b: WantedRoute): boolean {
  return isSame(a.to, b.to) && isSame(a.via ?? "", b.via ?? "");
}

/** Without a metric any will do. */
export function isSameRoute(a: WantedRoute, b: WantedRoute): boolean {
  const isAny = a.metric === undefined || b.metric === undefined;
  return isSameTarget(a, b) && (isAny || a.metric === b.metric);
}

/** The first of those that are the same: for Windows the second is a mistake. */
export function unique<T>(items: readonly T[], same: (a: T, b: T) => boolean): T[] {
  return items.filter((item, i) => items.findIndex((other) => same(item, other)) === i);
}

function canonical(text: string): string {
  const [address = "", prefix] = text.split("/");
  if (!address.includes(":") || !URL.canParse(`http://[${address}]`)) return text;
  const written = new URL(`http://[${address}]`).hostname;
  return prefix === undefined ? written : `${written}/${prefix}`;
}
