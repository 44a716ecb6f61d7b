import path from "node:path";
import { environmentFor, rootPath } from "./environment.ts";
import { candidatesFor, findExecutable } from "./executable.ts";
import { identify } from "./identity.ts";
import type { CommandSystem } from "./system.ts";

const shell = "/bin/sh";

export const linuxCommands: CommandSystem = {
  // Every folder that commands of root come from.
  searchPath: rootPath,
  rootFolder: "/",
  toolEnvironment: { HOME: "/root", LC_ALL: "C" },
  // VEOF of termios(3).
  endOfInput: Buffer.from([4]),
  // What the loader, shells and common interpreters take code from: ld.so(8), sh(1), bash(1), perlrun(1) and the like.
  steering: /^(LD_.*|GCONV_PATH|PATH|ENV|BASH_ENV|SHELLOPTS|BASH_FUNC.*|PERL5.*|PYTHON.*|RUBY.*|NODE_.*)$/,

  identify,
  environmentFor,
  findExecutable,

  shellFor: (line) => ({ program: shell, argv: [shell, "-c", line] }),

  loginFor({ user }, line, args) {
    const own = user.shell === "" ? shell : user.shell;
    return {
      program: own,
      argv: [`-${path.basename(own)}`, ...(line === "" ? [] : ["-c", line, ...args])],
    };
  },

  isAbsolute: (folder) => folder.startsWith("/"),

  async resolve({ program, argv }, place, check) {
    if (check === undefined) return { files: candidatesFor(program, place), args: argv };
    const executable = await findExecutable(program, place);
    await check(executable);
    return { files: [executable.file], args: argv };
  },

  isSameFile: (one, other) => one === other,
  signal: (process, number) => process.signalGroup(number),
  textOf: (bytes) => bytes.toString(),
};
