import { isUtf8 } from "node:buffer";
import { addon } from "../../../native/addon.ts";
import { CodedError } from "../../../wire/errors.ts";
import type { CommandSystem } from "../system.ts";
import { environmentFor, essentials } from "./environment.ts";
import { findExecutable, isBatch } from "./executable.ts";
import { identify } from "./identity.ts";
import { cmdExe, isDrivePath, systemDrive, systemPath, systemRoot } from "./places.ts";
import { batchLine, cmdLine, commandLineOf } from "./quoting.ts";
import { signalCommand } from "./signals.ts";

/**
 * Has what the line prints be UTF-8: programs ask the console for its code page, also when they print into a pipe. A
 * console has it from the moment that it is there, so nothing but a program in it can say so first.
 */
const inUtf8 = `"${systemRoot}\\System32\\chcp.com" 65001 <nul >nul 2>&1 & `;

function shellFor(line: string): { program: string; argv: readonly string[]; commandLine: string } {
  return { program: cmdExe, argv: [cmdExe], commandLine: cmdLine(cmdExe, `${inUtf8}${line}`) };
}

export const win32Commands: CommandSystem = {
  searchPath: systemPath,
  rootFolder: systemDrive,
  toolEnvironment: essentials,
  // ^Z at the beginning of a line, for who reads lines.
  endOfInput: Buffer.from("\x1a\r"),
  // What decides which programs and libraries are found, and what common runtimes take code from.
  steering:
    /^(PATH|PATHEXT|COMSPEC|SYSTEMROOT|WINDIR|COR_.*|CORECLR_.*|DOTNET_.*|COMPLUS_.*|PSMODULEPATH|__COMPAT_LAYER|PERL5.*|PYTHON.*|RUBY.*|NODE_.*|JAVA_.*|_JAVA_.*|JDK_JAVA_.*)$/i,

  identify: (request) => identify(request),
  environmentFor: (identity, added) => environmentFor(identity, added),
  findExecutable,
  shellFor,

  loginFor(_identity, line, args) {
    if (args.length > 0) throw new CodedError("invalidMessage", "a line for cmd.exe has no arguments");
    return line === "" ? { program: cmdExe, argv: [cmdExe] } : shellFor(line);
  },

  isAbsolute: isDrivePath,

  async resolve({ program, argv, commandLine }, place, check) {
    const executable = await findExecutable(program, place);
    await check?.(executable);
    const { file } = executable;
    const args = argv.slice(1);
    if (isBatch(executable))
      return { files: [cmdExe], args: argv, commandLine: batchLine(cmdExe, file, args) };
    return { files: [file], args: argv, commandLine: commandLine ?? commandLineOf([file, ...args]) };
  },

  isSameFile: (one, other) => one.toUpperCase() === other.toUpperCase(),
  signal: signalCommand,
  // Programs that are not run by a line print as the console was made: in the machine's own code page, unless in UTF-8.
  textOf: (bytes) => (isUtf8(bytes) ? bytes.toString() : addon.decodeOem(bytes)),
};
