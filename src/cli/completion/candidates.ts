import type { Command } from "commander";
import { isAbsolute, isWindowsPath } from "../files/guest-path.ts";
import { colonOf } from "../files/place.ts";
import { readCommandLine, splitAtEquals } from "./command-line.ts";
import { operandKinds } from "./operands.ts";

/** What a word that is being typed can become. */
export interface Candidate {
  /** The whole word. One that ends with a slash is not the end of it. */
  value: string;
  description: string;
}

export interface Completion {
  candidates: Candidate[];
  /** Files of this host are possible too; a shell knows best how to complete them. */
  localFiles: boolean;
}

/** Where names come from. None of them fails: what cannot be had is left out. */
export interface Sources {
  vms(): Promise<string[]>;
  /** Paths that begin with `path`; folders end with a slash. Of the usual VM unless `vm` is given. */
  guestPaths(path: string, vm: string | undefined): Promise<string[]>;
  /** Whether there is a usual VM. */
  hasTarget: boolean;
}

/** What the last of these words can become; the program's name is not among them. */
export async function complete(
  program: Command,
  words: readonly string[],
  sourcesFor: (options: { vm: string | undefined; socket: string | undefined }) => Sources,
): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const line = readCommandLine(program, words.slice(0, -1));
  const sources = sourcesFor(line);
  const found = await find();
  return { ...found, candidates: found.candidates.filter(({ value }) => value.startsWith(typed)) };

  async function find(): Promise<Completion> {
    const { command, operands, option, optionsEnded } = line;
    if (option) return await optionValues(option.long ?? "", "");
    if (command === undefined) return nothing;
    if (!optionsEnded && typed.startsWith("-")) {
      const [name, value] = splitAtEquals(typed);
      return value === undefined ? only(optionsOf(command)) : await optionValues(name, `${name}=`);
    }
    if (command === program) return only(commandsOf(program));
    const kind = operandKinds.get(command);
    if (kind === undefined) return nothing;
    if (typeof kind !== "string") return only(operands.length === 0 ? plain(kind) : []);
    const inGuest = await places(typed);
    return kind === "place" ? { candidates: inGuest, localFiles: colonOf(typed) < 0 } : only(inGuest);
  }

  async function optionValues(name: string, prefix: string): Promise<Completion> {
    if (name === "--socket") return { candidates: [], localFiles: prefix === "" };
    if (name === "--vm") return only(plain((await sources.vms()).map((vm) => prefix + vm)));
    return nothing;
  }

  async function places(text: string): Promise<Candidate[]> {
    const colon = colonOf(text);
    if (colon >= 0) {
      const prefix = text.slice(0, colon + 1);
      const path = text.slice(colon + 1);
      if (path === "") return plain([`${prefix}/`]);
      if (/^[a-z]:$/i.test(path)) return plain([`${prefix}${path}/`]);
      if (!isAbsolute(path)) return [];
      const paths = await sources.guestPaths(path, text.slice(0, colon) || undefined);
      return plain(paths.map((found) => prefix + found));
    }
    if (text.startsWith("/") || isWindowsPath(text))
      return plain(sources.hasTarget ? await sources.guestPaths(text, undefined) : []);
    if (text.includes("/")) return [];
    return [
      ...(sources.hasTarget ? plain([":/"]) : []),
      ...(await sources.vms()).map((vm) => ({ value: `${vm}:/`, description: "VM" })),
    ];
  }
}

const nothing: Completion = { candidates: [], localFiles: false };

function only(candidates: Candidate[]): Completion {
  return { candidates, localFiles: false };
}

function plain(values: readonly string[]): Candidate[] {
  return values.map((value) => ({ value, description: "" }));
}

function commandsOf(program: Command): Candidate[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .map((command) => ({ value: command.name(), description: command.summary() || command.description() }));
}

function optionsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ value: long ?? short ?? "", description }));
}
