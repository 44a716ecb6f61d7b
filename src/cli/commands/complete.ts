import { readdir } from "node:fs/promises";
import { Command } from "commander";
import type { CliCommand } from "../command.ts";
import { bashReplacement, readBashLine } from "../completion/bash-line.ts";
import { type Completion, complete as completionOf } from "../completion/candidates.ts";
import { sourcesOf } from "../completion/sources.ts";
import { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";

interface CompleteOptions {
  /** COMP_WORDBREAKS. */
  bash?: string;
}

/**
 * What the scripts of `completion` ask while a line is being typed. The first line of the answer is "files" when files of
 * this host are possible too, else "none". Then come the candidates, each with a tab and a description; with --bash as
 * bash is to insert them.
 */
export const complete: CliCommand = {
  register(program, end) {
    const command = new Command("__complete")
      .argument("[words...]", "those behind the program's name, the last is being typed")
      .option("--bash <word-breaks>", "the only word is the line up to the cursor")
      .action(async (words: string[], { bash }: CompleteOptions) => {
        const find = (typed: readonly string[]): Promise<Completion> =>
          completionOf(program, typed, ({ vm, socket }) => {
            const options = { ...(vm !== undefined && { vm }), ...(socket !== undefined && { socket }) };
            return sourcesOf(new Context(options, end.interruptions));
          });
        const lines =
          bash === undefined ? await forShells(words, find) : await forBash(words[0] ?? "", bash, find);
        process.stdout.write(`${lines.join("\n")}\n`);
        end.exit(exitCode.ok);
      });
    program.addCommand(command, { hidden: true });
  },
};

type Find = (words: readonly string[]) => Promise<Completion>;

async function forShells(words: readonly string[], find: Find): Promise<string[]> {
  const { candidates, localFiles } = await find(words);
  return [
    localFiles ? "files" : "none",
    ...candidates.map(({ value, description }) => (description === "" ? value : `${value}\t${description}`)),
  ];
}

async function forBash(text: string, wordBreaks: string, find: Find): Promise<string[]> {
  const line = readBashLine(text, wordBreaks);
  const typed = line.words.at(-1) ?? "";
  const { candidates, localFiles } = await find(line.words.slice(1));
  const values = candidates.map(({ value }) => value);
  // Bash completes files itself, but only where there is nothing else.
  if (localFiles && values.length > 0) values.push(...(await namesHere(typed)));
  return [localFiles ? "files" : "none", ...values.map((value) => bashReplacement(line, value))];
}

/** Files of the working folder that begin so. */
async function namesHere(start: string): Promise<string[]> {
  const entries = await readdir(".", { withFileTypes: true }).catch(() => []); // then there is nothing to offer
  return entries
    .filter(({ name }) => name.startsWith(start) && (start !== "" || !name.startsWith(".")))
    .map((entry) => entry.name + (entry.isDirectory() ? "/" : ""));
}
