import type { Command, Option } from "commander";

/** What the words of a command line say as far as they are there, and where its next word belongs. */
export interface CommandLine {
  /** The program itself as long as no command is named; undefined when there is none of that name. */
  command: Command | undefined;
  /** Those before the word that is being typed. */
  operands: readonly string[];
  /** That the word that is being typed is the value of. */
  option: Option | undefined;
  /** "--" was given. */
  optionsEnded: boolean;
  vm: string | undefined;
  socket: string | undefined;
}

/** Reads the words between the program's name and the one that is being typed. */
export function readCommandLine(program: Command, words: readonly string[]): CommandLine {
  const line: CommandLine & { operands: string[] } = {
    command: program,
    operands: [],
    option: undefined,
    optionsEnded: false,
    vm: undefined,
    socket: undefined,
  };
  for (const word of words) {
    if (line.option) {
      setValue(line, line.option, word);
      line.option = undefined;
    } else if (line.optionsEnded || !word.startsWith("-") || word === "-") {
      if (line.command !== program) line.operands.push(word);
      // Behind "help" a command is named as without.
      else if (word !== "help") line.command = program.commands.find((command) => command.name() === word);
    } else if (word === "--") {
      line.optionsEnded = true;
    } else {
      readOption(program, line, word);
    }
  }
  return line;
}

function readOption(program: Command, line: CommandLine, word: string): void {
  const options = [...(line.command?.options ?? []), ...program.options];
  if (word.startsWith("--")) {
    const [name, value] = splitAtEquals(word);
    const option = options.find(({ long }) => long === name);
    if (option === undefined || !takesValue(option)) return;
    if (value === undefined) line.option = option;
    else setValue(line, option, value);
    return;
  }
  // Several short ones may be in a word; the first that takes a value has the rest.
  for (let at = 1; at < word.length; at++) {
    const option = options.find(({ short }) => short === `-${word[at] ?? ""}`);
    if (option === undefined || !takesValue(option)) continue;
    if (at === word.length - 1) line.option = option;
    return;
  }
}

/** "--vm=web1" as "--vm" and "web1"; the value is undefined when there is no "=". */
export function splitAtEquals(word: string): [name: string, value: string | undefined] {
  const at = word.indexOf("=");
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function setValue(line: CommandLine, { long }: Option, value: string): void {
  if (long === "--vm") line.vm = value;
  if (long === "--socket") line.socket = value;
}
