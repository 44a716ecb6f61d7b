import { realpath, stat } from "node:fs/promises";
import { win32 as path } from "node:path";
import { CodedError } from "../../../wire/errors.ts";
import { type Executable, type SearchPlace, firstOf } from "../executable.ts";
import { isDrivePath } from "./places.ts";

/** Those that can be started; what else PATHEXT has is opened by other programs. */
const extensions = [".com", ".exe", ".bat", ".cmd"];

/** Who may look like another program to a person, or be another one to Windows: what it cuts off, streams, wildcards. */
const oddName = /[<>:"|?*\0]|[. ]$/;

/** Run by cmd.exe, whatever is asked to start them. */
export function isBatch({ file, target }: Executable): boolean {
  return [file, target].some((name) => /\.(bat|cmd)$/i.test(name));
}

/**
 * The files at which a program is looked for: of a path that one, of a name each folder of PATH, never the working folder.
 * Throws CodedError commandNotFound when there is none to look at.
 */
export function candidatesFor(command: string, { searchPath, folder }: SearchPlace): string[] {
  if (command === "") throw new CodedError("commandNotFound", "no command was given");
  const isPath = /[\\/]/.test(command) || /^[a-z]:/i.test(command);
  const names = isPath
    ? [path.resolve(folder, command)]
    : foldersOf(searchPath).map((part) => path.join(part, command));
  if (oddName.test(path.basename(command)) || !names.every(isDrivePath) || isDriveRelative(command)) {
    throw new CodedError(
      "commandNotFound",
      `${command} is not the name of a program, or a path to one on a drive`,
    );
  }
  if (names.length === 0) throw notFound(command, searchPath);
  return names.flatMap((name) => {
    const asTyped = path.extname(name) === "" ? [] : [name];
    return [...asTyped, ...extensions.map((extension) => `${name}${extension}`)];
  });
}

/** "c:tool.exe" is in the working folder that this process has, or once had, on that drive. */
function isDriveRelative(command: string): boolean {
  return /^[a-z]:(?![\\/])/i.test(command);
}

function foldersOf(searchPath: string): string[] {
  return searchPath
    .split(";")
    .map((part) => part.trim().replaceAll('"', ""))
    .filter(isDrivePath);
}

function notFound(command: string, searchPath: string): CodedError {
  const where = /[\\/]/.test(command) ? "" : ` in ${searchPath}`;
  return new CodedError("commandNotFound", `command not found: ${command}${where}`);
}

/** Finds a program as cmd.exe does, but not in the working folder. Throws CodedError: commandNotFound, commandPermission. */
export async function findExecutable(command: string, place: SearchPlace): Promise<Executable> {
  const found = await firstOf(candidatesFor(command, place), look);
  if (found === undefined) throw notFound(command, place.searchPath);
  return found;
}

async function look(candidate: string): Promise<Executable | "absent" | "not executable"> {
  try {
    if (!(await stat(candidate)).isFile()) return "not executable";
    const file = path.join(await realpath(path.dirname(candidate)), path.basename(candidate));
    const target = await realpath(file);
    // On a share: who is there may change it between the look and the start.
    if (![file, target].every(isDrivePath)) return "not executable";
    return { file, target, names: [...new Set([file, target])] };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? "absent" : "not executable";
  }
}
