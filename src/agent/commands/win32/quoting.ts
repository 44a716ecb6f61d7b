import { CodedError } from "../../../wire/errors.ts";

/** CreateProcessW takes no more, the NUL included. */
const longestLine = 32_766;

/** What cmd.exe takes in one line. */
const longestCmdLine = 8_191;

/**
 * One argument as the C runtime, and CommandLineToArgvW, take it from a command line: backslashes count as such unless a
 * quote follows.
 */
export function quoteArgument(argument: string): string {
  if (argument !== "" && !/[\s"]/.test(argument)) return argument;
  return `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}

/** argv as one line. Throws CodedError spawn when it is too long. */
export function commandLineOf([program = "", ...args]: readonly string[]): string {
  // The first is read by other rules, in which a quote cannot be part of it.
  return checked([`"${program.replaceAll('"', "")}"`, ...args.map(quoteArgument)].join(" "), longestLine);
}

/**
 * A line for cmd.exe, as it is: /s has it drop the outer quotes and no others, /d leaves out what the registry would run
 * first. Throws CodedError invalidMessage for one that cmd.exe would take only the beginning of.
 */
export function cmdLine(shell: string, line: string): string {
  const one = line.replace(/[\r\n]+$/, "");
  if (/[\r\n]/.test(one)) {
    throw new CodedError("invalidMessage", "cmd.exe takes one line; join commands with & or run a script");
  }
  return checked(`"${shell}" /d /s /c "${one}"`, longestCmdLine);
}

/**
 * A batch file, which only cmd.exe can run. What it is told is taken apart by cmd.exe, which has no way to say a quote or
 * a percent sign so that nobody takes it for more: those are refused. Throws CodedError invalidMessage.
 */
export function batchLine(shell: string, file: string, args: readonly string[]): string {
  for (const text of [file, ...args]) {
    if (!/["%\r\n]/.test(text)) continue;
    throw new CodedError(
      "invalidMessage",
      `${file} is a batch file: arguments with quotes, percent signs or line breaks cannot be passed to it safely; run its program itself`,
    );
  }
  const quoted = [file, ...args].map((text) => `"${text.replace(/(\\+)$/, "$1$1")}"`);
  // Without delayed expansion "!" is a character like any other.
  return checked(`"${shell}" /d /e:on /v:off /s /c "${quoted.join(" ")}"`, longestCmdLine);
}

function checked(line: string, most: number): string {
  if (line.length <= most) return line;
  throw new CodedError(
    "spawn",
    `the command line has ${line.length} characters; Windows takes ${most} at the most`,
  );
}
