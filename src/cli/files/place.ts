import { UsageError } from "../failure.ts";
import { isAbsolute, isWindowsPath, nameStart, separatorOf, withoutEnd } from "./guest-path.ts";

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
 * A place for `cp`: "VM:/path" and ":/path" are in a guest, also "VM:C:\path" and "C:\path", "-" is standard input or
 * output, all else is a file here. As with scp a colon behind a slash is a part of a local name, so "./a:b" is one. "C:/path"
 * is in the VM named C. Throws a UsageError.
 */
export function placeOf(text: string): Place {
  if (text === "") throw new UsageError("a path is empty");
  if (text === "-") return { side: "standard-stream" };
  if (hasDriveOnly(text)) return { side: "guest", vm: undefined, path: text };
  const colon = colonOf(text);
  if (colon < 0) return { side: "local", path: text };
  const path = text.slice(colon + 1);
  if (!isAbsolute(path)) {
    throw new UsageError(
      `${text}: a path in a guest begins with a slash or a drive, as in web1:/etc or win1:C:/Users; a file here of that name is ./${text}`,
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
  if (hasDriveOnly(text)) return -1;
  const colon = text.indexOf(":");
  const slash = text.indexOf("/");
  return slash >= 0 && slash < colon ? -1 : colon;
}

/** "C:\x": no VM's name, as a path of a guest never begins with a backslash. */
function hasDriveOnly(text: string): boolean {
  return isWindowsPath(text) && text[2] === "\\";
}

/** The last name in a path; "" when it has none of its own, as "/", "C:\", "." and "..": a copy of that is the target itself. */
export function lastName(path: string): string {
  const plain = withoutEnd(path);
  const name = plain.slice(nameStart(plain));
  return name === "." || name === ".." ? "" : name;
}

/** `name` in `folder`. */
export function within(folder: string, name: string): string {
  if (name === "") return folder;
  return nameStart(folder) === folder.length ? folder + name : `${folder}${separatorOf(folder)}${name}`;
}
