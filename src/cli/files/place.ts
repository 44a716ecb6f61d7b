import { UsageError } from "../failure.ts";

/** Where a command line says that a file is. */
export type Place = GuestPlace | { side: "local"; path: string } | { side: "standard-stream" };

export interface GuestPlace {
  side: "guest";
  /** As in "web1:/path"; undefined when --vm, --socket or the environment names it. */
  vm: string | undefined;
  /** Absolute. */
  path: string;
}

/**
 * A place for `cp`: "VM:/path" and ":/path" are in a guest, "-" is standard input or output, all else is a file here. As
 * with scp a colon behind a slash is a part of a local name, so "./a:b" is one. Throws a UsageError.
 */
export function placeOf(text: string): Place {
  if (text === "") throw new UsageError("a path is empty");
  if (text === "-") return { side: "standard-stream" };
  const colon = colonOf(text);
  if (colon < 0) return { side: "local", path: text };
  const path = text.slice(colon + 1);
  if (!path.startsWith("/")) {
    throw new UsageError(
      `${text}: a path in a guest begins with a slash, as in web1:/etc; a file here of that name is ./${text}`,
    );
  }
  return { side: "guest", vm: text.slice(0, colon) || undefined, path };
}

/** A place for the commands that know only guests: "VM:/path", or "/path" in the usual VM. Throws a UsageError. */
export function guestPlaceOf(text: string): GuestPlace {
  const place: Place = text.startsWith("/") ? { side: "guest", vm: undefined, path: text } : placeOf(text);
  if (place.side === "guest") return place;
  throw new UsageError(`${text} is not in a guest; give NAME:/path, or --vm NAME and /path`);
}

/** The one VM that all of these are in, if they name one. Throws a UsageError when they name more. */
export function vmOf(places: readonly GuestPlace[]): string | undefined {
  const [vm, ...others] = new Set(places.flatMap(({ vm }) => vm ?? []));
  if (others.length > 0) throw new UsageError(`${[vm, ...others].join(" and ")}: one VM at a time`);
  return vm;
}

/** Where the colon behind a VM's name is; -1 when the text names none. */
export function colonOf(text: string): number {
  const colon = text.indexOf(":");
  const slash = text.indexOf("/");
  return slash >= 0 && slash < colon ? -1 : colon;
}

/** The last name in a path; "" when it has none of its own, as "/", "." and "..": a copy of that is the target itself. */
export function lastName(path: string): string {
  const name = /([^/]*)\/*$/.exec(path)?.[1] ?? "";
  return name === "." || name === ".." ? "" : name;
}

/** `path` in `folder`, both with slashes. */
export function within(folder: string, name: string): string {
  if (name === "") return folder;
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}
