// How files are opened on Windows: names one after the other, and links on the way as the rules for paths allow.
import { constants } from "node:fs";
import { addon } from "../../../native/addon.ts";
import {
  type LinkOnTheWay,
  access,
  atEnd,
  attribute,
  disposition,
  option,
} from "../../../native/files-win32.ts";
import { CodedError } from "../../../wire/errors.ts";
import { absoluteWindowsPath, problemOfName } from "../path-win32.ts";

/** As many as Linux follows. */
const mostLinks = 40;

/** How something is opened: NtCreateFile's arguments. */
export interface How {
  access: number;
  disposition: number;
  options: number;
  attributes: number;
  atEnd: number;
}

const look = access.readAttributes | access.readControl;

/** Only to look at, or to be used as a folder. */
export const toLook: How = {
  access: look,
  disposition: disposition.open,
  options: option.none,
  attributes: attribute.none,
  atEnd: atEnd.stop,
};

/** What Node's flags mean. */
export function howOf(flags: number): How {
  const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
  const kind = flags & 3;
  const read = access.readData | access.readExtended;
  const write = flags & O_APPEND ? access.appendData : access.writeData | access.appendData;
  return {
    access: look | (kind === O_WRONLY ? 0 : read) | (kind === O_RDONLY ? 0 : write | access.writeAttributes),
    disposition: !(flags & O_CREAT)
      ? disposition.open
      : flags & O_EXCL
        ? disposition.create
        : disposition.openOrCreate,
    options: option.noFolder,
    attributes: attribute.normal,
    atEnd: atEnd.refuse,
  };
}

/** Something in a folder that is open, or that folder once more. A link is not followed: as `how.atEnd` says. */
export async function openIn(folder: number, name: string, how: How): Promise<number> {
  const opened = await addon.openWalk(
    ...([folder, name, how.access, how.disposition, how.options, how.attributes, how.atEnd] as const),
  );
  if (typeof opened === "number") return opened;
  throw systemError("ENOTDIR", `${name} is a link`);
}

/**
 * What a path leads to. Links are followed as far as they stay on drives and volumes of this machine: whoever made one to a
 * share of the network would have the system log in there. Rejects with CodedError pathTraversal for such, and ELOOP.
 */
export async function openPath(path: string, how: How): Promise<number> {
  let place = placeOf(path);
  for (let links = 0; links <= mostLinks; links++) {
    const { root, names } = place;
    const opened = await addon.openWalk(
      ...([root, names.join("\\"), how.access, how.disposition] as const),
      ...([how.options, how.attributes, how.atEnd] as const),
    );
    if (typeof opened === "number") return opened;
    place = behind(place, opened, path);
  }
  throw systemError("ELOOP", "too many links");
}

interface Place {
  /** `\??\C:\` */
  root: string;
  names: readonly string[];
}

function placeOf(path: string): Place {
  const [drive = "", ...names] = absoluteWindowsPath(path).split("\\");
  return { root: `\\??\\${drive}\\`, names: names.filter((name) => name !== "") };
}

const volume = /^\\\?\?\\(Volume\{[0-9a-f-]{36}\})\\?(.*)$/is;

/** Where a link on the way leads, with what comes behind it. Exported for its tests. */
export function behind(
  { root, names }: Place,
  { index, target, isRelative }: LinkOnTheWay,
  path: string,
): Place {
  const rest = names.slice(index + 1);
  const parts = (text: string): string[] => text.split("\\").filter((part) => part !== "" && part !== ".");
  if (isRelative) {
    const done = target.startsWith("\\") ? [] : names.slice(0, index);
    for (const part of parts(target)) {
      if (part === "..") done.pop();
      else done.push(named(part, path));
    }
    return { root, names: [...done, ...rest] };
  }
  const [, mounted, inside = ""] = volume.exec(target) ?? [];
  if (mounted !== undefined) {
    return {
      root: `\\??\\${mounted}\\`,
      names: [...parts(inside).map((part) => named(part, path)), ...rest],
    };
  }
  try {
    const found = placeOf(target.startsWith("\\??\\") ? target.slice(4) : target);
    return { root: found.root, names: [...found.names, ...rest] };
  } catch (cause) {
    throw new CodedError("pathTraversal", `${path} leads through a link to ${JSON.stringify(target)}`, {
      cause,
    });
  }
}

function named(part: string, path: string): string {
  const problem = problemOfName(part);
  if (problem === undefined) return part;
  throw new CodedError(
    "pathTraversal",
    `${path} leads through a link to ${JSON.stringify(part)}: ${problem}`,
  );
}

/** An error of Node's shape. */
export function systemError(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

/** Where what is open is, as it is told. Throws CodedError pathTraversal for what is not on a drive of this machine. */
export async function realPathOf(fd: number): Promise<string> {
  const path = await addon.finalPath(fd);
  const [, plain] = /^\\\\\?\\([a-z]:\\.*)$/is.exec(path) ?? [];
  if (plain !== undefined) return plain.charAt(0).toUpperCase() + plain.slice(1);
  throw new CodedError("pathTraversal", `it is at ${path}, which is not on a drive of the guest`);
}
