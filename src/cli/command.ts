import { type Command, Option } from "commander";
import { Context, type GlobalOptions } from "./context.ts";
import type { Interruptions } from "./interruption.ts";
import { type OperandKind, operandKinds } from "./completion/operands.ts";
import { parseSeconds } from "./seconds.ts";

export interface CommandSpec<Options extends object> {
  /** The name and its arguments as commander has them: "cp <from> <to>". */
  usage: string;
  summary: string;
  /** Shown below the summary in the command's own help. */
  description?: string;
  /** Command lines and what they are for. */
  examples: readonly (readonly [commandLine: string, purpose: string])[];
  /** What --timeout is for this one; how long to wait for each answer unless given. */
  timeout?: string;
  /** What its operands are, for the completion of a shell. */
  completes?: OperandKind;
  /** Adds the command's own options. */
  options?(command: Command): void;
  /** Carries it out and gives the exit code; a HostError or UsageError that it throws has its own. */
  run(context: Context, options: Options, ...args: string[]): Promise<number>;
}

/** A command of limiquantix-ctl: one file in commands/ exports one, and commands/index.ts lists it. */
export interface CliCommand {
  register(program: Command, end: CommandEnd): void;
}

export interface CommandEnd {
  interruptions: Interruptions;
  /** The command line has been read. */
  begin(context: Context): void;
  exit(code: number): void;
}

export function defineCommand<Options extends object = object>(spec: CommandSpec<Options>): CliCommand {
  return {
    register(program, end) {
      const command = program.command(spec.usage).summary(spec.summary);
      command.description(
        `${spec.summary}${spec.description === undefined ? "" : `\n\n${spec.description}`}`,
      );
      spec.options?.(command);
      if (spec.completes) operandKinds.set(command, spec.completes);
      for (const option of globalOptions(spec.timeout)) command.addOption(option);
      command.addHelpText("after", `\nExamples:\n${exampleLines(spec.examples)}`);
      command.action(async () => {
        const options = { ...program.opts<GlobalOptions>(), ...command.opts<GlobalOptions & Options>() };
        const context = new Context(options, end.interruptions);
        end.begin(context);
        end.exit(await spec.run(context, options, ...command.args));
      });
    },
  };
}

/** Before the command's name or after it: both are given these. */
export function globalOptions(timeout = "how long to wait for each answer"): Option[] {
  return [
    new Option("--vm <name>", "the VM: its exact name or id (environment: LIMIQUANTIX_VM)"),
    new Option("--socket <path>", "or the socket of its agent channel (environment: LIMIQUANTIX_SOCKET)"),
    new Option("--timeout <seconds>", `${timeout}; also "500ms", "30s", "2m"`).argParser(parseSeconds),
    new Option("--json", "print JSON for programs"),
  ].map((option) => option.helpGroup("Options of every command:"));
}

export function exampleLines(examples: CommandSpec<object>["examples"]): string {
  const width = Math.max(...examples.map(([commandLine]) => commandLine.length));
  return examples
    .map(([commandLine, purpose]) => `  ${commandLine.padEnd(width)}  ${purpose}`.trimEnd())
    .join("\n");
}
