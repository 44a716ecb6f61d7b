import { CommanderError } from "commander";
import { forPrograms, toFailure } from "./failure.ts";
import { Interruptions } from "./interruption.ts";
import { makeProgram } from "./program.ts";
import { jsonLine } from "./ui/printable.ts";

/** Known when the command line has been read; its operands may look like options of ours. */
let json: boolean | undefined;

/** Carries out a command line and gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const interruptions = new Interruptions();
  let code = 0;
  const program = makeProgram({
    interruptions,
    begin: (context) => (json = context.json),
    exit: (value) => (code = value),
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    // --help and --version end this way too.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (!interruptions.signal.aborted) code = report(error, args);
  }
  return interruptions.interruption?.exitCode ?? code;
}

function report(error: unknown, args: readonly string[]): number {
  const failure = toFailure(error);
  process.stderr.write(`limiquantix-ctl: ${failure.message}\n`);
  if (process.env["LIMIQUANTIX_DEBUG"]) console.error(error);
  // Also when the command line could not be read far enough to know all its options.
  if (json ?? wantsJson(args)) process.stdout.write(`${jsonLine({ error: forPrograms(failure) })}\n`);
  return failure.exitCode;
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).includes("--json");
}

process.on("uncaughtException", (error) => {
  process.exit(report(error, process.argv.slice(2)));
});

void main(process.argv.slice(2)).then((code) => {
  // Not waiting for the event loop to become empty, but for what was printed to be on its way.
  process.stdout.write("", () => process.exit(code));
});
