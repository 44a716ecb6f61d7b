import { readlink, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { CodedError } from "../../wire/errors.ts";

/** A program as it was found. */
export interface Executable {
  /** Absolute. Its folder has no links in it; the file itself may be one, as each tool of busybox is. */
  file: string;
  /** What `file` leads to in the end. */
  target: string;
  /** `file`, what it is a link to, and so on up to `target`. */
  names: readonly string[];
}

/** Where a program is looked for. */
export interface SearchPlace {
  /** PATH. */
  searchPath: string;
  /** What a path that is not absolute is relative to. */
  folder: string;
}

/** The paths at which execvp(3) would try a program. Throws CodedError commandNotFound when there is none to try. */
export function candidatesFor(command: string, { searchPath, folder }: SearchPlace): string[] {
  if (command === "" || command.includes("\0"))
    throw new CodedError("commandNotFound", "no command was given");
  if (command.includes("/")) return [path.resolve(folder, command)];
  // An empty part of PATH would be the working folder, which may belong to anybody.
  const folders = searchPath.split(":").filter((part) => part.startsWith("/"));
  if (folders.length === 0) throw notFound(command, searchPath);
  return folders.map((part) => path.join(part, command));
}

export function notFound(command: string, searchPath: string): CodedError {
  const where = command.includes("/") ? "" : ` in ${searchPath}`;
  return new CodedError("commandNotFound", `command not found: ${command}${where}`);
}

/** Finds a program as execvp(3) does. Throws CodedError: commandNotFound, commandPermission. */
export async function findExecutable(command: string, place: SearchPlace): Promise<Executable> {
  const found = await firstOf(candidatesFor(command, place), look);
  if (found === undefined) throw notFound(command, place.searchPath);
  return found;
}

/**
 * What `look` finds at the first candidate that can be executed; undefined when there is nothing at any. Throws CodedError:
 * commandPermission when there are only others.
 */
export async function firstOf(
  candidates: readonly string[],
  look: (candidate: string) => Promise<Executable | "absent" | "not executable">,
): Promise<Executable | undefined> {
  let notAllowed: string | undefined;
  for (const candidate of candidates) {
    const found = await look(candidate);
    if (typeof found === "object") return found;
    if (found === "not executable") notAllowed ??= candidate;
  }
  if (notAllowed === undefined) return undefined;
  throw new CodedError("commandPermission", `${notAllowed} is not a file that can be executed`);
}

async function look(candidate: string): Promise<Executable | "absent" | "not executable"> {
  try {
    const facts = await stat(candidate);
    if (!facts.isFile() || (facts.mode & 0o111) === 0) return "not executable";
    const file = path.join(await realpath(path.dirname(candidate)), path.basename(candidate));
    const target = await realpath(file);
    return { file, target, names: await linksFrom(file, target) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? "absent" : "not executable";
  }
}

async function linksFrom(file: string, target: string): Promise<string[]> {
  const names = [file];
  // stat has found no more than the 40 links that the kernel follows.
  for (let name = file; name !== target && names.length <= 40; names.push(name)) {
    const link = await readlink(name);
    const next = link.startsWith("/") ? link : `${path.dirname(name)}/${link}`; // ".." in it is the kernel's to resolve
    name = path.join(await realpath(path.dirname(next)), path.basename(next));
  }
  return names;
}
