/** How the service is called in the manager, and as a source of events. */
export const serviceName = "limiquantix-agent";

/** What the manager starts the agent with. */
export const serviceFlag = "--service";

/** One argument as CommandLineToArgvW reads it: backslashes count only in front of a quotation mark. */
export function quoteArgument(argument: string): string {
  if (argument.includes("\0")) throw new TypeError("an argument with a NUL in it");
  return `"${argument.replace(/(\\*)("|$)/g, (_all, slashes: string, quote: string) => slashes + slashes + (quote && '\\"'))}"`;
}

/**
 * The command line of the service. Everything in it is quoted: of `C:\Program Files\agent.exe` without, Windows would try
 * C:\Program.exe first. `script` is what Node.js runs; a single executable has none.
 */
export function serviceCommandLine(
  program: string,
  script: string | undefined,
  options: readonly string[],
): string {
  const own = script === undefined ? [] : [script];
  return [program, ...own, serviceFlag, ...options].map(quoteArgument).join(" ");
}
